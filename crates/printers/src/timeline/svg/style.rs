//! Colours and shapes of the picture.

/// Colours for light pages, then what differs on dark ones. No variables: not all programs that show SVG know
/// them.
pub(super) const SHEET: &str = "
text{font:12px ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono','Liberation Mono',monospace;fill:#1f2328}
.head{font-size:17px;font-weight:600}
.name{font-weight:600}
.muted,.tick,.role{fill:#59636e}
.tick{font-size:11px}
.end{text-anchor:end}.middle{text-anchor:middle}
.good{fill:#1a7f37}.warn{fill:#9a6700}.bad{fill:#cf222e}
.page{fill:#fff;stroke:#d1d9e0}
.grid{stroke:#d1d9e0;fill:none}
.after{stroke:#818b98;stroke-width:2;stroke-dasharray:2 4;fill:none}
rect.unknown{fill:url(#dots)}
rect.waiting{fill:#d1d9e0}
rect.backoff{fill:url(#stripes);stroke:#d4a72c;stroke-width:.5}
rect.running{fill:#54aeff}
rect.started{fill:#eac54f}
rect.ready{fill:#2da44e}
rect.hook{fill:#8250df}
.succeeded,.healthy{color:#1a7f37}.failed,.killing{color:#cf222e}
.stopped,.stopping{color:#59636e}
.unhealthy,.held{color:#bf8700}.restart{color:#0969da}.warning{color:#bc4c00}
.stripe{stroke:#d4a72c}.stripes{fill:#fff8c5}.dot{fill:#818b98}.cut{stroke:#fff}
@media (prefers-color-scheme:dark){
text{fill:#e6edf3}
.muted,.tick,.role{fill:#9198a1}
.good{fill:#3fb950}.warn{fill:#d29922}.bad{fill:#f85149}
.page{fill:#0d1117;stroke:#3d444d}
.grid{stroke:#2a313c}
.after{stroke:#656c76}
rect.waiting{fill:#3d444d}
rect.backoff{stroke:#9e6a03}
rect.running{fill:#1f6feb}
rect.started{fill:#bb8009}
rect.ready{fill:#238636}
rect.hook{fill:#8957e5}
.succeeded,.healthy{color:#3fb950}.failed,.killing{color:#f85149}
.stopped,.stopping{color:#9198a1}
.unhealthy,.held{color:#d29922}.restart{color:#58a6ff}.warning{color:#db6d28}
.stripe{stroke:#9e6a03}.stripes{fill:#272115}.dot{fill:#656c76}.cut{stroke:#0d1117}
}
";

/// Hatching, and the shapes of ends and marks around their middle.
pub(super) const DEFINITIONS: &str = r##"<defs>
<pattern id="stripes" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect class="stripes" width="6" height="6"/><path class="stripe" d="M0 0V6" stroke-width="4"/></pattern>
<pattern id="dots" width="5" height="5" patternUnits="userSpaceOnUse"><circle class="dot" cx="2.5" cy="2.5" r=".8"/></pattern>
<g id="succeeded"><circle r="8" fill="currentColor"/><path class="cut" d="M-3.6 .3L-1 2.9L3.7 -2.6" fill="none" stroke-width="2" stroke-linecap="round" stroke-linejoin="round"/></g>
<g id="failed"><circle r="8" fill="currentColor"/><path class="cut" d="M-3 -3L3 3M3 -3L-3 3" fill="none" stroke-width="2" stroke-linecap="round"/></g>
<g id="stopped"><circle r="8" fill="currentColor"/><path class="cut" d="M-3 0H3" fill="none" stroke-width="2" stroke-linecap="round"/></g>
<path id="unhealthy" d="M0 -4.5L5 4H-5Z" fill="currentColor"/>
<path id="healthy" d="M-4 .4L-1.2 3.2L4 -3" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round"/>
<path id="killing" d="M-3.4 -3.4L3.4 3.4M3.4 -3.4L-3.4 3.4" fill="none" stroke="currentColor" stroke-width="2.4" stroke-linecap="round"/>
<path id="stopping" d="M-3.5 -3.5H3.5V3.5H-3.5Z" fill="currentColor"/>
<path id="held" d="M-3.5 -4V4M0 -4V4" fill="none" stroke="currentColor" stroke-width="2.2" stroke-linecap="round"/>
<path id="restart" d="M2.6 -2.9A4 4 0 1 0 4 .6M3.6 -5V-2.2H.8" fill="none" stroke="currentColor" stroke-width="1.7" stroke-linecap="round" stroke-linejoin="round"/>
<path id="warning" d="M0 -5L5 0L0 5L-5 0Z" fill="currentColor"/>
</defs>
"##;
