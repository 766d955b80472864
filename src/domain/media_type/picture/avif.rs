//! AVIF (AV1 Image File Format, on ISO/IEC 14496-12 and 23008-12): boxes, of which `meta` describes
//! the picture.

use super::{Step, Structure};

/// The structure of an AVIF file.
///
/// The picture is turned by its property `irot`, as in browsers; Exif does not count.
#[derive(Default)]
pub(super) struct Avif {
    awaited: Awaited,
    size: Option<(u32, u32)>,
}

/// The bytes that the structure has asked for.
#[derive(Clone, Copy, Default)]
enum Awaited {
    /// The end of a box.
    #[default]
    Rest,
    /// The length and type of a box.
    Head,
    /// The 64-bit length of a box of this type.
    LongLength([u8; 4]),
    /// The content of the box `meta`.
    Meta,
}

/// Largest box `meta` that is read, in bytes.
const MAX_META_BYTES: u64 = 256 * 1024;
/// Number of bytes of the length and type with which a box begins.
const HEAD_BYTES: u64 = 8;
/// Number of bytes of a version and flags, with which some boxes go on.
const VERSION_BYTES: usize = 4;

impl Structure for Avif {
    fn next(&mut self, taken: &[u8]) -> Step {
        match (self.awaited, taken) {
            (Awaited::Rest, _) => self.take(HEAD_BYTES, Awaited::Head),
            (Awaited::Head, [length @ .., _, _, _, _]) => {
                let kind = *taken.last_chunk().unwrap_or(&[0; 4]);
                match big(length) {
                    _ if !kind.iter().all(u8::is_ascii_alphanumeric) => Step::End,
                    0 => self.content(kind, u64::MAX), // up to the end of the file
                    1 => self.take(8, Awaited::LongLength(kind)),
                    length => length
                        .checked_sub(HEAD_BYTES)
                        .map_or(Step::End, |it| self.content(kind, it)),
                }
            }
            (Awaited::LongLength(kind), length) => {
                let length = big(length).checked_sub(2 * HEAD_BYTES);
                length.map_or(Step::End, |length| self.content(kind, length))
            }
            (Awaited::Meta, meta) => {
                self.size = size(meta);
                self.take(HEAD_BYTES, Awaited::Head)
            }
            _ => Step::End,
        }
    }

    fn size(&self) -> Option<(u32, u32)> {
        self.size
    }
}

impl Avif {
    fn take(&mut self, bytes: u64, awaited: Awaited) -> Step {
        self.awaited = awaited;
        usize::try_from(bytes).map_or(Step::End, Step::Take)
    }

    /// Goes on with the content of a box, of so many bytes.
    fn content(&mut self, kind: [u8; 4], bytes: u64) -> Step {
        if kind == *b"meta" && bytes <= MAX_META_BYTES && self.size.is_none() {
            return self.take(bytes, Awaited::Meta);
        }
        self.awaited = Awaited::Rest;
        Step::Skip(bytes)
    }
}

/// The content of a box, and its type before it.
type Content<'m> = ([u8; 4], &'m [u8]);

/// The size of the primary item, after its rotation was applied. Of several sizes the largest
/// counts.
///
/// Where no property is associated with it, all properties count: such a file is not valid, but may
/// be shown all the same.
fn size(meta: &[u8]) -> Option<(u32, u32)> {
    let meta: Vec<_> = boxes(meta.get(VERSION_BYTES..)?).collect();
    let properties: Vec<_> = contents(&meta, *b"iprp").flat_map(boxes).collect();
    let all: Vec<_> = contents(&properties, *b"ipco").flat_map(boxes).collect();
    let primary = contents(&meta, *b"pitm").find_map(primary_item);
    let associated = contents(&properties, *b"ipma").flat_map(|it| associations(it, primary));
    let own: Vec<_> = associated.filter_map(|index| all.get(index.checked_sub(1)?)).collect();
    let own = if own.is_empty() { all.iter().collect() } else { own };
    let sizes = own.iter().filter_map(|it| extent(it));
    let (width, height) =
        sizes.max_by_key(|(width, height)| u64::from(*width) * u64::from(*height))?;
    let turned = own.iter().any(|(kind, content)| {
        // In quarters of a whole turn.
        *kind == *b"irot" && content.first().is_some_and(|turns| turns & 1 == 1)
    });
    Some(if turned { (height, width) } else { (width, height) })
}

/// The contents of the boxes of this type.
fn contents<'m>(boxes: &[Content<'m>], kind: [u8; 4]) -> impl Iterator<Item = &'m [u8]> {
    boxes.iter().filter(move |it| it.0 == kind).map(|it| it.1)
}

/// The boxes that these bytes consist of, as far as they are whole.
fn boxes(mut bytes: &[u8]) -> impl Iterator<Item = Content<'_>> {
    std::iter::from_fn(move || {
        let (head, rest) = bytes.split_first_chunk::<8>()?;
        let (length, kind) = head.split_first_chunk::<4>()?;
        let content = usize::try_from(big(length)).ok()?.checked_sub(head.len())?;
        let (content, rest) = rest.split_at_checked(content)?;
        bytes = rest;
        Some((kind.try_into().ok()?, content))
    })
}

/// The id of the item that the picture is, in the box `pitm`.
fn primary_item(content: &[u8]) -> Option<u64> {
    let id = content.get(VERSION_BYTES..)?;
    let bytes = if content[0] == 0 { 2 } else { 4 };
    Some(big(id.get(..bytes)?))
}

/// The indices, from 1, of the properties of this item, in a box `ipma`.
fn associations(content: &[u8], item: Option<u64>) -> Vec<usize> {
    let mut found = Vec::new();
    let mut rest = content.get(VERSION_BYTES + 4..).unwrap_or_default();
    let mut read = |bytes| -> Option<u64> {
        let (value, after) = rest.split_at_checked(bytes)?;
        rest = after;
        Some(big(value))
    };
    let id_bytes = if content.first() == Some(&0) { 2 } else { 4 };
    let is_long = content.get(VERSION_BYTES - 1).is_some_and(|flags| flags & 1 == 1);
    // The upper bit tells whether a reader must know the property.
    let (index_bytes, index_bits) = if is_long { (2, 0x7FFF) } else { (1, 0x7F) };
    while let (Some(id), Some(count)) = (read(id_bytes), read(1)) {
        let indices = (0..count).map_while(|_| read(index_bytes)).filter(|_| Some(id) == item);
        found.extend(indices.filter_map(|index| usize::try_from(index & index_bits).ok()));
    }
    found
}

/// The width and height in a property, where it is their property, `ispe`.
fn extent((kind, content): &Content<'_>) -> Option<(u32, u32)> {
    let sides = content.get(VERSION_BYTES..).filter(|_| *kind == *b"ispe")?;
    let side = |at: usize| u32::try_from(big(sides.get(at..at + 4)?)).ok();
    Some((side(0)?, side(4)?))
}

/// The number that these bytes, at most eight, are in network byte order.
fn big(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
}
