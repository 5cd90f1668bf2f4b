//! The history of a Pod as a picture: for a terminal ([`text`]) and as an SVG file ([`svg`]).
//!
//! One row for the Pod and one for each container, in which bars show what it did when; marks for probes that
//! failed, kills, restarts and back-off; an axis; and below it all that happened, in order. Both are drawn from
//! the same chart, so that they never differ in what they say.

mod axis;
mod chart;
mod happenings;
mod svg;
mod text;

pub(crate) use svg::svg_with_remarks;
pub use svg::{svg, svg_of_all};
pub use text::{Look, text, text_of_all};
pub(crate) use text::{bars, wrap};

#[cfg(test)]
mod tests;
