//! Logos of organisations: read once, when the record is added, and made anew (design decision 12). What a visitor's browser gets is a PNG of ours:
//! pixels, no text chunks, no colour profile, no second picture hidden behind the first.
//!
//! No I/O: the process reads the file or fetches it, and keeps what comes out. Neighbours: `organisation` reads where the logo is; `lint::logo` has
//! the rules; `broker_core::organisation::Logo` is what the record says of it.

use std::io::Cursor;

use broker_core::organisation::Logo;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits, imageops::FilterType};

use crate::{
    lint::{
        logo as rule,
        report::{Finding, Place, Report},
    },
    revision::document_name,
};

/// The largest file that is looked at, in octets.
pub const MOST_OCTETS: usize = 2 * 1024 * 1024;
/// The most pixels on one side of it.
const MOST_PIXELS: u32 = 4096;
/// The most memory that decoding may take, in octets: a picture of the most pixels, four octets each.
const MOST_MEMORY: u64 = 80 * 1024 * 1024;
/// The fewest pixels on one side: it is shown 40 high.
const FEWEST_PIXELS: u32 = 40;
/// The highest that is kept: four times what is shown, for dense screens and zoom.
pub const KEPT_HEIGHT: u32 = 160;
/// The widest that is kept. A wider one is scaled down to this.
pub const KEPT_WIDTH: u32 = 480;

/// A logo that is ready to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreparedLogo {
    /// What the record says of it.
    pub logo: Logo,
    /// A PNG.
    pub octets: Vec<u8>,
}

/// Makes our own picture of a file. `None`: the report says why.
pub fn prepare(octets: &[u8], report: &mut Report) -> Option<PreparedLogo> {
    match made(octets) {
        Ok(made) => Some(made),
        Err(finding) => {
            report.add(*finding);
            None
        }
    }
}

fn made(octets: &[u8]) -> Result<PreparedLogo, Box<Finding>> {
    let finding = |rule| Box::new(Finding::new(rule, Place::File));
    if octets.len() > MOST_OCTETS {
        return Err(Box::new(
            Finding::new(&rule::TOO_LARGE, Place::File)
                .found(format!("{} kB", octets.len() / 1024))
                .expected(format!("{} kB", MOST_OCTETS / 1024)),
        ));
    }
    if is_svg(octets) {
        return Err(finding(&rule::SVG));
    }
    let format = image::guess_format(octets).ok().filter(|format| {
        matches!(format, ImageFormat::Png | ImageFormat::Jpeg | ImageFormat::WebP | ImageFormat::Gif)
    });
    let Some(format) = format else { return Err(finding(&rule::KIND)) };
    let unreadable = |fault: image::ImageError| {
        Box::new(Finding::new(&rule::UNREADABLE, Place::File).found(fault.to_string()))
    };
    let mut reader = ImageReader::with_format(Cursor::new(octets), format);
    let mut limits = Limits::default();
    limits.max_alloc = Some(MOST_MEMORY);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(unreadable)?;
    let (width, height) = decoder.dimensions();
    let size = |rule, expected: u32| {
        Box::new(
            Finding::new(rule, Place::File)
                .found(format!("{width} × {height}"))
                .expected(format!("{expected} × {expected}")),
        )
    };
    // Before a pixel is decoded.
    if width.max(height) > MOST_PIXELS {
        return Err(size(&rule::TOO_LARGE, MOST_PIXELS));
    }
    if width.min(height) < FEWEST_PIXELS {
        return Err(size(&rule::NARROW, FEWEST_PIXELS));
    }
    let orientation = decoder.orientation().map_err(unreadable)?;
    let mut picture = DynamicImage::from_decoder(decoder).map_err(unreadable)?;
    picture.apply_orientation(orientation);
    if picture.height() > KEPT_HEIGHT || picture.width() > KEPT_WIDTH {
        picture = picture.resize(KEPT_WIDTH, KEPT_HEIGHT, FilterType::Lanczos3);
    }
    // Eight bits a channel whatever came, and nothing but pixels.
    let pixels = DynamicImage::ImageRgba8(picture.to_rgba8());
    let mut octets = Vec::new();
    pixels.write_to(&mut Cursor::new(&mut octets), ImageFormat::Png).map_err(unreadable)?;
    let logo = Logo { document: document_name(&octets), width: pixels.width(), height: pixels.height() };
    Ok(PreparedLogo { logo, octets })
}

/// Whether it is SVG, to be refused by its name: text that names the element, or the same packed by gzip.
fn is_svg(octets: &[u8]) -> bool {
    let start = octets.get(..octets.len().min(4096)).unwrap_or(octets);
    let text = String::from_utf8_lossy(start);
    start.starts_with(&[0x1f, 0x8b]) || text.trim_start_matches('\u{feff}').trim_start().starts_with('<')
}

#[cfg(test)]
mod tests;
