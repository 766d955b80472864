//! QR codes as SVG images, which can stand in a page as they are.

use std::fmt::Write;

use qrcode::{Color, QrCode};

/// Width of the quiet zone around a code, in modules (ISO/IEC 18004, section 6.3.8).
const QUIET_MODULES: usize = 4;
/// Largest width of an image that has room for modules of at least two pixels.
const MAX_PIXELS: usize = 256;
/// Longest text of a code, in bytes: that of an address under the longest host name, and more.
const MAX_TEXT_BYTES: usize = 1_024;

/// Draws the QR code of a text, black on white in any theme, with a quiet zone around it; `title` is
/// its accessible name. The image is at most 64 KiB, and 256 pixels wide for texts up to 600 bytes.
/// `None` for a text longer than [`MAX_TEXT_BYTES`].
pub(crate) fn svg(text: &str, title: &str) -> Option<String> {
    let code = QrCode::new(text).ok().filter(|_| text.len() <= MAX_TEXT_BYTES)?;
    let width = code.width();
    let modules = width + 2 * QUIET_MODULES;
    let pixels = modules * (MAX_PIXELS / modules).max(2);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" width=\"{pixels}\" \
         height=\"{pixels}\" viewBox=\"0 0 {modules} {modules}\" shape-rendering=\"crispEdges\">\
         <title>{}</title><path fill=\"#fff\" d=\"M0 0h{modules}v{modules}H0z\"/>\
         <path fill=\"#000\" d=\"",
        escaped(title)
    );
    for (y, row) in code.to_colors().chunks(width).enumerate() {
        let mut x = 0;
        for run in row.chunk_by(|one, next| one == next) {
            if run[0] == Color::Dark {
                let (left, top, length) = (x + QUIET_MODULES, y + QUIET_MODULES, run.len());
                // Memory does not fail.
                let _ = write!(svg, "M{left} {top}h{length}v1h-{length}z");
            }
            x += run.len();
        }
    }
    svg.push_str("\"/></svg>");
    Some(svg)
}

/// Escapes a text for the content of an element.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use rqrr::PreparedImage;

    use super::*;

    /// Pixels for each module of the picture that is scanned.
    const SCALE: usize = 3;

    /// Scans an image as a camera would: paints what its path says, and reads the code.
    fn scanned(svg: &str) -> String {
        let number = |text: &str| text.parse::<usize>().expect("a number");
        let between = |before: &str, after: &str| {
            let rest = svg.split(before).nth(1).expect(before);
            rest.split(after).next().expect(after).to_owned()
        };
        let modules = number(&between("viewBox=\"0 0 ", " "));
        let mut dark = vec![false; modules * modules];
        for run in between("fill=\"#000\" d=\"M", "\"").split('M') {
            let (place, rest) = run.split_once('h').expect("a run");
            let (x, y) = place.split_once(' ').expect("a place");
            let length = number(rest.split('v').next().expect("a length"));
            dark[number(y) * modules + number(x)..][..length].fill(true);
        }
        let side = modules * SCALE;
        let grey = |x, y| if dark[y / SCALE * modules + x / SCALE] { 0 } else { 255 };
        let mut image = PreparedImage::prepare_from_greyscale(side, side, grey);
        let grids = image.detect_grids();
        assert_eq!(grids.len(), 1, "one code is found");
        grids[0].decode().expect("it can be read").1
    }

    #[test]
    fn a_code_can_be_scanned_whatever_the_address() {
        for text in [
            "http://127.0.0.1:8000/",
            "http://[::1]:8000/",
            "https://chat.example.org/",
            "https://чат.example/",
            "HTTPS://CHAT.EXAMPLE",
            &format!("https://chat.example.org/links/{}", "0123456789abcdef".repeat(4)),
            &format!("https://{}.example:65535/links/{}", "host.".repeat(50), "a1".repeat(32)),
        ] {
            let image = svg(text, "A code").expect("it fits");
            assert_eq!(scanned(&image), text);
        }
    }

    #[test]
    fn its_size_is_bounded_and_its_colours_are_its_own() {
        for (bytes, pixels) in
            [(1, 256), (22, 256), (100, 256), (340, 256), (600, 256), (1_024, 512)]
        {
            let image = svg(&"a/".repeat(bytes)[..bytes], "A code");
            let Some(image) = image else { panic!("{bytes} bytes") };
            let width = image.split("width=\"").nth(1).and_then(|it| it.split('"').next());
            let width: usize = width.and_then(|it| it.parse().ok()).expect("a width");
            assert!((128..=pixels).contains(&width), "{bytes} bytes: {width} pixels");
            assert!(image.len() <= 64 * 1024, "{bytes} bytes: {}", image.len());
            assert!(!image.contains("currentColor") && !image.contains("style"), "{image}");
        }
        assert_eq!(svg(&"x".repeat(MAX_TEXT_BYTES + 1), "A code"), None);
    }

    #[test]
    fn its_name_is_text() {
        let image = svg("x", "<b> & \"co\"").expect("it fits");
        assert!(image.contains("<title>&lt;b> &amp; \"co\"</title>"), "{image}");
        assert!(image.starts_with("<svg ") && image.ends_with("</svg>"), "nothing around it");
    }
}
