//! Media types of files, sniffed from their bytes: what a sender says of a file is never believed.

mod picture;

use std::fmt;

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use self::picture::{Ends, PictureReader};

/// A media type (RFC 2046) without parameters: `image/png`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MediaType(String);

impl MediaType {
    /// The types that browsers show safely within a page, since no script can be in them. All others
    /// are downloaded.
    const INLINE: [&str; 14] = [
        "image/png",
        "image/jpeg",
        "image/gif",
        "image/webp",
        "image/avif",
        "image/bmp",
        "audio/mpeg",
        "audio/ogg",
        "audio/wav",
        "audio/flac",
        "audio/mp4",
        "audio/aac",
        "video/mp4",
        "video/webm",
    ];

    /// The type of bytes of which nothing is known.
    fn unknown() -> Self {
        Self("application/octet-stream".into())
    }

    /// The type as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Tells whether it is the type of an image.
    #[must_use]
    pub fn is_image(&self) -> bool {
        self.as_str().starts_with("image/")
    }

    /// Tells whether browsers show files of this type safely within a page.
    #[must_use]
    pub fn is_inline(&self) -> bool {
        Self::INLINE.contains(&self.as_str())
    }
}

impl From<String> for MediaType {
    fn from(name: String) -> Self {
        Self(name)
    }
}

impl fmt::Display for MediaType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A detector of a file's media type that is given the bytes as they come in. It keeps only the
/// first and last of them, and what a picture's size is in.
pub struct Sniffer {
    head: Vec<u8>,
    ends: Ends,
    picture: PictureReader,
    size: u64,
    digest: Sha256,
}

/// The result of sniffing a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sniffed {
    /// The media type.
    pub media_type: MediaType,
    /// The width and height of an image that is to be shown in place; `None` for anything else.
    pub dimensions: Option<Dimensions>,
    /// The size, in bytes.
    pub size: u64,
    /// The SHA-256 of its bytes, in hexadecimal.
    pub sha256: String,
}

/// The width and height of an image as it is shown, after its orientation was applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dimensions {
    /// Width in pixels, after the orientation was applied.
    pub width: u32,
    /// Height in pixels, after the orientation was applied.
    pub height: u32,
}

/// Markup that a file of another format has at one of its ends only if it is also a document in that
/// format (a polyglot).
const MARKUP: [&[u8]; 9] = [
    b"<script",
    b"<html",
    b"<svg",
    b"<!doctype",
    b"<body",
    b"<head",
    b"<iframe",
    b"<?php",
    b"%pdf-",
];

impl Sniffer {
    /// Number of bytes kept of the beginning, by which a file is recognised.
    const HEAD_BYTES: usize = 256 * 1024;

    /// A sniffer that was given nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self {
            head: Vec::new(),
            ends: Ends::default(),
            picture: PictureReader::new(),
            size: 0,
            digest: Sha256::new(),
        }
    }

    /// Takes the next bytes of the file.
    pub fn look(&mut self, bytes: &[u8]) {
        self.size += bytes.len() as u64;
        self.digest.update(bytes);
        let room = Self::HEAD_BYTES - self.head.len();
        self.head.extend_from_slice(&bytes[..room.min(bytes.len())]);
        self.ends.look(bytes);
        self.picture.look(bytes);
    }

    /// The result, once all bytes were given.
    #[must_use]
    pub fn finish(self) -> Sniffed {
        let mut media_type = self.media_type();
        if media_type.is_inline() && self.is_doubtful(&media_type) {
            media_type = MediaType::unknown();
        }
        let shown = media_type.is_inline() && media_type.is_image();
        let dimensions = self.picture.size().filter(|_| shown).and_then(Dimensions::sensible);
        Sniffed {
            media_type,
            dimensions,
            size: self.size,
            sha256: HEXLOWER.encode(&self.digest.finalize()),
        }
    }

    /// Tells whether what begins like a file of this type may be something else: a picture without a
    /// size, or with markup behind its end, or sound that is recognised by eleven bits and has
    /// markup at an end. Markup within a picture, or in a container with a real signature, is its
    /// metadata.
    fn is_doubtful(&self, media_type: &MediaType) -> bool {
        let has_markup = |ends: &Ends| ends.both().iter().any(|end| finds(end, &MARKUP));
        if media_type.is_image() {
            let empty = |(width, height)| width == 0 || height == 0;
            return self.picture.size().is_none_or(empty) || has_markup(self.picture.behind());
        }
        self.head.first() == Some(&0xFF) && has_markup(&self.ends)
    }

    fn media_type(&self) -> MediaType {
        let known = infer::get(&self.head).map(|known| known.mime_type());
        let name = match known {
            Some("text/html") => "text/html",
            // Some signatures are two letters long, and begin many a note.
            Some(known) if !known.starts_with("text/") && !is_text(&self.head) => match known {
                "audio/x-wav" => "audio/wav",
                "audio/x-flac" => "audio/flac",
                "audio/m4a" => "audio/mp4",
                "video/x-m4v" => "video/mp4",
                known => known,
            },
            Some("application/pdf") => "application/pdf",
            _ if !is_text(&self.head) => return MediaType::unknown(),
            _ if finds(&self.head, &[b"<svg"]) => "image/svg+xml",
            _ => "text/plain",
        };
        MediaType(name.into())
    }
}

impl Default for Sniffer {
    fn default() -> Self {
        Self::new()
    }
}

fn finds(bytes: &[u8], patterns: &[&[u8]]) -> bool {
    let may_begin = |(_, byte): &(usize, &u8)| matches!(byte, b'<' | b'%');
    bytes.iter().enumerate().filter(may_begin).any(|(at, _)| {
        let begins = |pattern: &&[u8]| {
            let here = bytes.get(at..at + pattern.len());
            here.is_some_and(|here| here.eq_ignore_ascii_case(pattern))
        };
        patterns.iter().any(begins)
    })
}

fn is_text(head: &[u8]) -> bool {
    let valid = match std::str::from_utf8(head) {
        Ok(_) => true,
        // The kept bytes may end within a character.
        Err(error) => error.error_len().is_none(),
    };
    let control = |byte: &u8| *byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r' | 0x0C | 0x1B);
    valid && !head.iter().any(control)
}

impl Dimensions {
    /// The largest width or height of an image that is shown in place, in pixels. Long screenshots
    /// and panoramas are within it.
    pub const MAX_SIDE: u32 = 32_767;
    /// The largest number of pixels of an image that is shown in place: a browser needs 512 MiB for
    /// them. A photograph of 108 megapixels is within it.
    pub const MAX_PIXELS: u64 = 128 * 1024 * 1024;

    /// The dimensions, unless an image of this size is too large, or empty.
    fn sensible((width, height): (u32, u32)) -> Option<Self> {
        let sides = [width, height].iter().all(|side| (1..=Self::MAX_SIDE).contains(side));
        let pixels = u64::from(width) * u64::from(height);
        (sides && pixels <= Self::MAX_PIXELS).then_some(Self { width, height })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A GIF of 3 by 2 pixels, as far as anybody looks.
    const GIF: &[u8] = b"GIF89a\x03\x00\x02\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff;";

    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x03\0\0\0\x02\x08\x02\0\0\0";

    fn sniffed(bytes: &[u8]) -> Sniffed {
        let mut sniffer = Sniffer::new();
        for chunk in bytes.chunks(5) {
            sniffer.look(chunk);
        }
        sniffer.finish()
    }

    #[track_caller]
    fn check(bytes: &[u8], media_type: &str) {
        assert_eq!(sniffed(bytes).media_type.as_str(), media_type, "{}", bytes.escape_ascii());
    }

    #[test]
    fn bytes_say_what_a_file_is() {
        check(GIF, "image/gif");
        check(PNG, "image/png");
        check(&PNG[..16], "application/octet-stream");
        check(b"BMW sales were up in May.", "text/plain");
        check(b"ID3 tags, a note", "text/plain");
        check(b"GIF89a is a format", "text/plain");
        check(b"%PDF-1.7\n", "application/pdf");
        check(b"PK\x03\x04", "application/zip");
        check("Grüße\n".as_bytes(), "text/plain");
        check(b"", "text/plain");
        check(b"\x01\x02\x03", "application/octet-stream");
        check(b"<!DOCTYPE html><p>hi", "text/html");
        check(b"<?xml version=\"1.0\"?><svg xmlns=\"\"/>", "image/svg+xml");
        check(b"<svg onload=alert(1)>", "image/svg+xml");
    }

    #[test]
    fn what_is_also_something_else_is_not_shown() {
        for tail in ["<script>alert(1)</script>", "<ScRiPt>", "<!DOCTYPE html>", "%PDF-1.4"] {
            let polyglot = [GIF, tail.as_bytes()].concat();
            assert!(sniffed(GIF).media_type.is_inline());
            check(&polyglot, "application/octet-stream");
        }
        // Well behind the end it is there by chance.
        let long = [GIF, &[7; 2_000], b"<svg", &[7; 2_000]].concat();
        check(&long, "image/gif");
    }

    #[test]
    fn size_digest_and_dimensions_are_told() {
        let told = sniffed(GIF);
        assert_eq!(told.size, GIF.len() as u64);
        assert_eq!(told.sha256.len(), 64);
        assert_eq!(told.dimensions, Some(Dimensions { width: 3, height: 2 }));
        assert_eq!(sniffed(b"text").dimensions, None);
    }

    /// A PNG of this size, with this text as its comment.
    fn png(width: u32, height: u32, comment: &[u8]) -> Vec<u8> {
        let length = u32::try_from(comment.len()).expect("short");
        let parts: [&[u8]; 9] = [
            b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
            &width.to_be_bytes(),
            &height.to_be_bytes(),
            b"\x08\x02\0\0\0CRC!",
            &length.to_be_bytes(),
            b"tEXt",
            comment,
            b"CRC!",
            b"\0\0\0\0IEND\xAE\x42\x60\x82",
        ];
        parts.concat()
    }

    #[test]
    fn metadata_makes_no_document_of_a_file() {
        for markup in ["<html", "<!DOCTYPE html>", "<svg/>", "<script>x</script>", "%PDF-1.7"] {
            let markup = markup.as_bytes();
            check(&png(3, 2, markup), "image/png");
            check(&png(3, 2, &[markup, &vec![b' '; 300_000][..]].concat()), "image/png");
            let length = [u8::try_from(markup.len()).expect("short")];
            let start = &GIF[..GIF.len() - 1];
            check(&[start, b"!\xFE", &length, markup, b"\0;"].concat(), "image/gif");
            let tagged = [b"ID3\x03\0\0\0\0\x02\0COMM", markup, b"\xFF\xFB\x90\0"].concat();
            check(&tagged, "audio/mpeg");
            check(&[b"OggS\0\x02OpusTags", markup].concat(), "audio/ogg");
            check(&[b"fLaC\0\0\0\x22", markup].concat(), "audio/flac");
            check(&[b"RIFF\0\0\0\0WAVELIST", markup].concat(), "audio/wav");
            check(&[b"\0\0\0\x18ftypisom\0\0\0\0isommp42udta", markup].concat(), "video/mp4");
            // Eleven bits are no signature.
            check(&[b"\xFF\xFB\x90\0", markup].concat(), "application/octet-stream");
            check(&[b"\xFF\xF1\x50\x80", markup].concat(), "application/octet-stream");
        }
    }

    #[test]
    fn an_absurdly_large_image_is_not_shown() {
        let shown = |width, height| sniffed(&png(width, height, b"")).dimensions.is_some();
        for (width, height) in [(1, 1), (32_767, 4_096), (1_440, 30_000), (12_032, 9_024)] {
            assert!(shown(width, height), "{width} by {height}");
        }
        for (width, height) in
            [(65_535, 65_535), (32_768, 1), (1, 65_535), (16_384, 16_384), (u32::MAX, u32::MAX)]
        {
            assert!(!shown(width, height), "{width} by {height}");
            check(&png(width, height, b""), "image/png");
        }
        let gif = [b"GIF89a\xFF\xFF\xFF\xFF", &GIF[10..]].concat();
        assert_eq!(sniffed(&gif).dimensions, None);
        check(&gif, "image/gif");
        let jpeg = b"\xFF\xD8\xFF\xC0\0\x0B\x08\xFF\xFF\xFF\xFF\x01\x01\x11\0\xFF\xD9";
        assert_eq!(sniffed(jpeg).dimensions, None);
        check(jpeg, "image/jpeg");
        // One without any size is no image.
        check(&png(0, 5, b""), "application/octet-stream");
        check(b"GIF89a\0\0\x02\0\0\0\0;", "application/octet-stream");
    }
}
