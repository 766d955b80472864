//! JPEG (ITU-T T.81, annex B): segments that each begin with a marker, and entropy-coded data.

use exif::{In, Reader, Tag};

use super::{Step, Structure};

/// The structure of a JPEG file.
///
/// Its Exif orientation counts, as in browsers: cameras store photographs on their side.
#[derive(Default)]
pub(super) struct Jpeg {
    awaited: Awaited,
    frame: Option<(u32, u32)>,
    /// The first Exif data, by which browsers go.
    exif: Option<Vec<u8>>,
}

/// The bytes that the structure has asked for.
#[derive(Clone, Copy, Default)]
enum Awaited {
    /// The end of a segment.
    #[default]
    Rest,
    /// The byte `FF` that begins a marker, wherever it is, as decoders look for it.
    Marker,
    /// The second byte of a marker.
    Code,
    /// The length of the segment of this marker.
    Length(u8),
    /// The beginning of a frame's header, with so many bytes after it.
    Frame { rest: usize },
    /// The identifier of application data, with so many bytes after it.
    Identifier { rest: usize },
    /// Exif data.
    Exif,
}

/// The bytes by which a segment says that it has Exif data.
const EXIF: &[u8] = b"Exif\0\0";
/// Number of bytes of sample precision, height and width, with which a frame's header begins.
const FRAME_BYTES: usize = 5;

impl Structure for Jpeg {
    fn next(&mut self, taken: &[u8]) -> Step {
        match (self.awaited, taken) {
            (Awaited::Marker, _) | (Awaited::Code, [0xFF]) => self.take(1, Awaited::Code),
            (Awaited::Code, [0xD9]) => Step::End,
            // A data byte `FF`, restart markers and others that have no segment.
            (Awaited::Rest, _) | (Awaited::Code, [0x00 | 0x01 | 0xD0..=0xD8]) => self.find_marker(),
            (Awaited::Code, [code]) => self.take(2, Awaited::Length(*code)),
            (Awaited::Length(code), [high, low]) => {
                let length = u16::from_be_bytes([*high, *low]).saturating_sub(2);
                self.segment(code, length.into())
            }
            (Awaited::Frame { rest }, [_, height @ .., w1, w0]) => {
                let height = height.iter().fold(0, |high, low| high << 8 | u32::from(*low));
                self.frame = Some((u16::from_be_bytes([*w1, *w0]).into(), height));
                self.skip(rest)
            }
            (Awaited::Identifier { rest }, EXIF) => self.take(rest, Awaited::Exif),
            (Awaited::Identifier { rest }, _) => self.skip(rest),
            (Awaited::Exif, exif) => {
                self.exif = Some(exif.to_vec());
                self.find_marker()
            }
            _ => Step::End,
        }
    }

    fn size(&self) -> Option<(u32, u32)> {
        let (width, height) = self.frame?;
        let turned = self.orientation().is_some_and(|it| (5..=8).contains(&it));
        Some(if turned { (height, width) } else { (width, height) })
    }
}

impl Jpeg {
    /// Goes on with a segment of so many bytes. Of frames, browsers decode the baseline, extended
    /// and progressive ones.
    fn segment(&mut self, code: u8, length: usize) -> Step {
        match (code, length) {
            (0xC0..=0xC2, FRAME_BYTES..) if self.frame.is_none() => {
                self.take(FRAME_BYTES, Awaited::Frame { rest: length - FRAME_BYTES })
            }
            (0xE1, 7..) if self.exif.is_none() => {
                self.take(EXIF.len(), Awaited::Identifier { rest: length - EXIF.len() })
            }
            _ => self.skip(length),
        }
    }

    fn take(&mut self, bytes: usize, awaited: Awaited) -> Step {
        self.awaited = awaited;
        Step::Take(bytes)
    }

    fn skip(&mut self, bytes: usize) -> Step {
        self.awaited = Awaited::Rest;
        Step::Skip(bytes as u64)
    }

    fn find_marker(&mut self) -> Step {
        self.awaited = Awaited::Marker;
        Step::Find(0xFF)
    }

    /// The Exif orientation, 1 to 8.
    fn orientation(&self) -> Option<u32> {
        let mut reader = Reader::new();
        // Browsers read the orientation of what is damaged elsewhere, too.
        let read = reader.continue_on_error(true).read_raw(self.exif.clone()?);
        let exif = read.or_else(|error| error.distill_partial_result(|_| {})).ok()?;
        exif.get_field(Tag::Orientation, In::PRIMARY)?.value.get_uint(0)
    }
}
