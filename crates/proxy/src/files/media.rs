//! Media types by the end of a file's name.

use std::borrow::Cow;

/// What a file is, and what may be done with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Media {
    /// `Content-Type`.
    pub value: Cow<'static, str>,
    /// Whether files of this type become much smaller.
    pub compresses: bool,
    /// Whether files of this type are compressed already, so that nobody has a coded one beside them.
    pub dense: bool,
}

/// By extension, in order. What is text is in UTF-8: whoever has other texts says so in `mimeTypes`.
const TYPES: &[(&str, &str)] = &[
    ("3gp", "video/3gpp"),
    ("7z", "application/x-7z-compressed"),
    ("aac", "audio/aac"),
    ("apng", "image/apng"),
    ("atom", "application/atom+xml"),
    ("avi", "video/x-msvideo"),
    ("avif", "image/avif"),
    ("bin", "application/octet-stream"),
    ("bmp", "image/bmp"),
    ("br", "application/octet-stream"),
    ("bz2", "application/x-bzip2"),
    ("cjs", "text/javascript"),
    ("conf", "text/plain"),
    ("css", "text/css"),
    ("csv", "text/csv"),
    ("deb", "application/vnd.debian.binary-package"),
    ("doc", "application/msword"),
    (
        "docx",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ),
    ("eot", "application/vnd.ms-fontobject"),
    ("epub", "application/epub+zip"),
    ("flac", "audio/flac"),
    ("geojson", "application/geo+json"),
    ("gif", "image/gif"),
    ("glb", "model/gltf-binary"),
    ("gltf", "model/gltf+json"),
    ("gz", "application/gzip"),
    ("heic", "image/heic"),
    ("htm", "text/html"),
    ("html", "text/html"),
    ("ico", "image/x-icon"),
    ("ics", "text/calendar"),
    ("iso", "application/octet-stream"),
    ("jar", "application/java-archive"),
    ("jpeg", "image/jpeg"),
    ("jpg", "image/jpeg"),
    ("js", "text/javascript"),
    ("json", "application/json"),
    ("jsonld", "application/ld+json"),
    ("jxl", "image/jxl"),
    ("log", "text/plain"),
    ("m3u8", "application/vnd.apple.mpegurl"),
    ("m4a", "audio/mp4"),
    ("m4v", "video/x-m4v"),
    ("map", "application/json"),
    ("md", "text/markdown"),
    ("mid", "audio/midi"),
    ("midi", "audio/midi"),
    ("mjs", "text/javascript"),
    ("mkv", "video/x-matroska"),
    ("mov", "video/quicktime"),
    ("mp3", "audio/mpeg"),
    ("mp4", "video/mp4"),
    ("mpd", "application/dash+xml"),
    ("mpeg", "video/mpeg"),
    ("mpg", "video/mpeg"),
    ("odp", "application/vnd.oasis.opendocument.presentation"),
    ("ods", "application/vnd.oasis.opendocument.spreadsheet"),
    ("odt", "application/vnd.oasis.opendocument.text"),
    ("oga", "audio/ogg"),
    ("ogg", "audio/ogg"),
    ("ogv", "video/ogg"),
    ("opus", "audio/ogg"),
    ("otf", "font/otf"),
    ("pdf", "application/pdf"),
    ("png", "image/png"),
    ("ppt", "application/vnd.ms-powerpoint"),
    (
        "pptx",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    ),
    ("ps", "application/postscript"),
    ("rar", "application/vnd.rar"),
    ("rpm", "application/x-rpm"),
    ("rss", "application/rss+xml"),
    ("rtf", "application/rtf"),
    ("sh", "application/x-sh"),
    ("svg", "image/svg+xml"),
    ("tar", "application/x-tar"),
    ("tgz", "application/gzip"),
    ("tif", "image/tiff"),
    ("tiff", "image/tiff"),
    ("toml", "application/toml"),
    ("ts", "video/mp2t"),
    ("ttf", "font/ttf"),
    ("txt", "text/plain"),
    ("vtt", "text/vtt"),
    ("wasm", "application/wasm"),
    ("wav", "audio/wav"),
    ("weba", "audio/webm"),
    ("webm", "video/webm"),
    ("webmanifest", "application/manifest+json"),
    ("webp", "image/webp"),
    ("woff", "font/woff"),
    ("woff2", "font/woff2"),
    ("xhtml", "application/xhtml+xml"),
    ("xls", "application/vnd.ms-excel"),
    (
        "xlsx",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ),
    ("xml", "text/xml"),
    ("xsl", "text/xml"),
    ("xz", "application/x-xz"),
    ("yaml", "application/yaml"),
    ("yml", "application/yaml"),
    ("zip", "application/zip"),
    ("zst", "application/zstd"),
];

/// The media type of a file, by the end of its name without regard to case: of `given` the longest that fits, else the
/// known one, else `fallback`. A given type stands as it is; others of text get their charset.
pub fn of(name: &[u8], given: &[(String, String)], fallback: &str) -> Media {
    let start = name.iter().rposition(|byte| *byte == b'/');
    let name = name[start.map_or(0, |slash| slash + 1)..].to_ascii_lowercase();
    let fits = |extension: &str| {
        let rest = name.strip_suffix(extension.as_bytes());
        rest.is_some_and(|rest| rest.len() > 1 && rest.ends_with(b"."))
    };
    let own = given.iter().filter(|(extension, _)| fits(extension));
    if let Some((_, value)) = own.max_by_key(|(extension, _)| extension.len()) {
        return media(Cow::Owned(value.clone()));
    }
    let dot = name.iter().rposition(|byte| *byte == b'.');
    let known = dot.filter(|dot| *dot > 0).and_then(|dot| {
        let extension = &name[dot + 1..];
        let found = TYPES.binary_search_by(|(known, _)| known.as_bytes().cmp(extension));
        found.ok().map(|at| TYPES[at].1)
    });
    match known {
        Some(value) if value.starts_with("text/") => {
            media(Cow::Owned(format!("{value}; charset=utf-8")))
        }
        Some(value) => media(Cow::Borrowed(value)),
        None => media(Cow::Owned(fallback.to_owned())),
    }
}

fn media(value: Cow<'static, str>) -> Media {
    let essence = value.split(';').next().unwrap_or_default().trim();
    let essence = essence.to_ascii_lowercase();
    let compresses = essence.starts_with("text/")
        || essence.ends_with("+json")
        || essence.ends_with("+xml")
        || matches!(
            essence.as_str(),
            "application/javascript"
                | "application/json"
                | "application/postscript"
                | "application/rtf"
                | "application/toml"
                | "application/vnd.apple.mpegurl"
                | "application/vnd.ms-fontobject"
                | "application/wasm"
                | "application/x-javascript"
                | "application/x-sh"
                | "application/xml"
                | "application/yaml"
                | "font/otf"
                | "font/ttf"
                | "image/bmp"
                | "image/x-icon"
        );
    let dense = !compresses
        && (["image/", "audio/", "video/", "font/"]
            .iter()
            .any(|kind| essence.starts_with(kind))
            || matches!(
                essence.as_str(),
                "application/gzip"
                    | "application/zip"
                    | "application/zstd"
                    | "application/epub+zip"
                    | "application/java-archive"
                    | "application/vnd.rar"
                    | "application/x-7z-compressed"
                    | "application/x-bzip2"
                    | "application/x-xz"
            ));
    Media {
        value,
        compresses,
        dense,
    }
}

#[cfg(test)]
mod tests;
