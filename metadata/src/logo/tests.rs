//! What becomes of a logo.

use std::io::Cursor;

use image::{DynamicImage, ImageFormat, Rgba, RgbaImage};

use super::{KEPT_HEIGHT, KEPT_WIDTH, MOST_OCTETS, PreparedLogo, prepare};
use crate::{lint::Report, revision::document_name};

fn picture(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
    let pixels = RgbaImage::from_fn(width, height, |x, y| Rgba([(x % 256) as u8, (y % 256) as u8, 90, 255]));
    let picture = DynamicImage::ImageRgba8(pixels);
    let picture =
        if format == ImageFormat::Jpeg { DynamicImage::ImageRgb8(picture.to_rgb8()) } else { picture };
    let mut octets = Vec::new();
    picture.write_to(&mut Cursor::new(&mut octets), format).expect("written");
    octets
}

fn prepared(octets: &[u8]) -> Result<PreparedLogo, String> {
    let mut report = Report::new();
    let logo = prepare(octets, &mut report);
    logo.ok_or_else(|| report.findings.first().map(|finding| finding.rule.id.to_owned()).unwrap_or_default())
}

fn refused(octets: &[u8]) -> String {
    prepared(octets).expect_err("refused")
}

#[test]
fn each_kind_becomes_a_png_of_ours_no_higher_than_is_kept() {
    for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::WebP, ImageFormat::Gif] {
        let original = picture(800, 400, format);
        let made = prepared(&original).unwrap_or_else(|rule| panic!("{format:?}: {rule}"));
        assert_eq!((made.logo.width, made.logo.height), (320, KEPT_HEIGHT), "{format:?}");
        assert_eq!(made.logo.document, document_name(&made.octets));
        assert_eq!(image::guess_format(&made.octets).ok(), Some(ImageFormat::Png));
    }
    let small = prepared(&picture(64, 48, ImageFormat::Png)).expect("kept");
    assert_eq!((small.logo.width, small.logo.height), (64, 48), "a small one is not blown up");
    let wide = prepared(&picture(2000, 100, ImageFormat::Png)).expect("kept");
    assert_eq!((wide.logo.width, wide.logo.height), (KEPT_WIDTH, 24), "never stretched");
}

#[test]
fn nothing_but_pixels_is_left() {
    let mut octets = picture(100, 100, ImageFormat::Png);
    octets.extend_from_slice(b"<script>alert(1)</script>");
    let made = prepared(&octets).expect("kept");
    assert!(
        !made.octets.windows(7).any(|window| window == b"<script"),
        "what stood behind the picture is gone"
    );
}

#[test]
fn svg_is_refused_by_its_name() {
    for svg in [
        "<svg xmlns=\"http://www.w3.org/2000/svg\"/>",
        "\u{feff}  <?xml version=\"1.0\"?><svg onload=\"alert(1)\"/>",
        "<!DOCTYPE svg>",
        "\u{1f}\u{8b}packed",
    ] {
        let octets =
            if svg.starts_with('\u{1f}') { b"\x1f\x8bpacked".to_vec() } else { svg.as_bytes().to_vec() };
        assert_eq!(refused(&octets), "organisation.logo.svg", "{svg}");
    }
}

#[test]
fn what_is_no_picture_or_a_broken_one_is_refused() {
    assert_eq!(refused(b""), "organisation.logo.kind");
    assert_eq!(refused(b"BM of Windows"), "organisation.logo.kind");
    let mut broken = picture(200, 200, ImageFormat::Png);
    broken.truncate(broken.len() / 2);
    assert_eq!(refused(&broken), "organisation.logo.unreadable");
}

#[test]
fn a_picture_that_is_too_large_is_refused_before_it_is_decoded() {
    assert_eq!(refused(&vec![0; MOST_OCTETS + 1]), "organisation.logo.too_large");
    assert_eq!(refused(&picture(4097, 40, ImageFormat::Png)), "organisation.logo.too_large");
    // The header alone says 60,000 by 60,000.
    let mut bomb = picture(40, 40, ImageFormat::Gif);
    bomb[6..10].copy_from_slice(&[0x60, 0xea, 0x60, 0xea]);
    assert_eq!(refused(&bomb), "organisation.logo.too_large");
    assert!(prepared(&picture(4096, 40, ImageFormat::Png)).is_ok(), "the largest that is taken");
}

#[test]
fn a_picture_that_would_be_a_line_is_refused() {
    assert_eq!(refused(&picture(39, 400, ImageFormat::Png)), "organisation.logo.shape");
    assert!(prepared(&picture(40, 40, ImageFormat::Png)).is_ok());
}
