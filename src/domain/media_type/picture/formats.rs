//! PNG, GIF, WebP and BMP, which have their size in front. Exif in them does not count.

use super::{Step, Structure};

/// The structure of a PNG file (W3C PNG, section 5): chunks.
#[derive(Default)]
pub(super) struct Png {
    awaited: AwaitedOfPng,
    size: Option<(u32, u32)>,
}

/// The bytes of a PNG file that were asked for.
#[derive(Clone, Copy, Default)]
enum AwaitedOfPng {
    #[default]
    Start,
    /// The signature, and the first chunk up to the size: it must be the header.
    Header,
    /// The end of a chunk.
    Rest,
    /// The length and type of a chunk.
    Chunk,
    /// The end of the last chunk.
    End,
}

impl Png {
    /// Number of bytes of the signature, and of the header's chunk up to the size.
    const HEADER_BYTES: usize = 8 + 8 + 8;
    /// Number of bytes of that chunk after the size, with its checksum.
    const HEADER_REST_BYTES: u64 = 5 + 4;

    fn step(&mut self, awaited: AwaitedOfPng, step: Step) -> Step {
        self.awaited = awaited;
        step
    }
}

impl Structure for Png {
    fn next(&mut self, taken: &[u8]) -> Step {
        use AwaitedOfPng as A;
        match (self.awaited, taken) {
            (A::Start, _) => self.step(A::Header, Step::Take(Self::HEADER_BYTES)),
            (A::Header, header) if header[8..16] == *b"\0\0\0\x0DIHDR" => {
                self.size = Some((big32(&header[16..]), big32(&header[20..])));
                self.step(A::Rest, Step::Skip(Self::HEADER_REST_BYTES))
            }
            (A::Rest, _) => self.step(A::Chunk, Step::Take(8)),
            (A::Chunk, [.., b'I', b'E', b'N', b'D']) => self.step(A::End, Step::Take(4)),
            (A::Chunk, chunk) if chunk[4..].iter().all(u8::is_ascii_alphabetic) => {
                self.step(A::Rest, Step::Skip(u64::from(big32(chunk)) + 4))
            }
            _ => Step::End,
        }
    }

    fn size(&self) -> Option<(u32, u32)> {
        self.size
    }
}

/// The structure of a GIF file: blocks, some with a sequence of sub-blocks.
#[derive(Default)]
pub(super) struct Gif {
    awaited: AwaitedOfGif,
    size: Option<(u32, u32)>,
}

/// The bytes of a GIF file that were asked for.
#[derive(Clone, Copy, Default)]
enum AwaitedOfGif {
    #[default]
    Start,
    /// The signature, and the size of the screen.
    Screen,
    /// The rest of the screen's descriptor.
    Flags,
    /// The end of a colour table or of sub-blocks.
    Rest,
    /// The byte that says what block begins.
    Block,
    /// The descriptor of an image.
    Image,
    /// The byte before the sub-blocks of an extension or an image.
    Label,
    /// The end of a sub-block.
    SubBlockRest,
    /// The length of a sub-block.
    SubBlock,
}

impl Gif {
    fn step(&mut self, awaited: AwaitedOfGif, step: Step) -> Step {
        self.awaited = awaited;
        step
    }
}

/// The number of bytes of the colour table that these flags announce.
fn color_table_bytes(flags: u8) -> u64 {
    if flags & 0x80 == 0 { 0 } else { 3 << ((flags & 7) + 1) }
}

impl Structure for Gif {
    fn next(&mut self, taken: &[u8]) -> Step {
        use AwaitedOfGif as A;
        match (self.awaited, taken) {
            (A::Start, _) => self.step(A::Screen, Step::Take(10)),
            (A::Screen, screen) => {
                self.size = Some((little16(&screen[6..]), little16(&screen[8..])));
                self.step(A::Flags, Step::Take(3))
            }
            (A::Flags, flags) => self.step(A::Rest, Step::Skip(color_table_bytes(flags[0]))),
            (A::Rest, _) | (A::SubBlock, [0]) => self.step(A::Block, Step::Take(1)),
            (A::Block, [0x21]) => self.step(A::Label, Step::Take(1)),
            (A::Block, [0x2C]) => self.step(A::Image, Step::Take(9)),
            (A::Image, [.., flags]) => {
                // The minimum code size after the table is to an image what its label is to an
                // extension.
                self.step(A::SubBlockRest, Step::Skip(color_table_bytes(*flags) + 1))
            }
            (A::Label | A::SubBlockRest, _) => self.step(A::SubBlock, Step::Take(1)),
            (A::SubBlock, [length]) => self.step(A::SubBlockRest, Step::Skip((*length).into())),
            _ => Step::End, // the trailer, or no block
        }
    }

    fn size(&self) -> Option<(u32, u32)> {
        self.size
    }
}

/// The structure of a WebP file (RFC 9649): a RIFF container whose first chunk has the size.
#[derive(Default)]
pub(super) struct Webp {
    awaited: AwaitedOfWebp,
    size: Option<(u32, u32)>,
    /// Number of bytes of the container.
    length: u64,
}

/// The bytes of a WebP file that were asked for.
#[derive(Clone, Copy, Default)]
enum AwaitedOfWebp {
    #[default]
    Start,
    /// The head of the container, and that of its first chunk.
    Head,
    /// The beginning of the first chunk.
    Lossy,
    Lossless,
    Extended,
    /// The end of the container.
    Rest,
}

impl Webp {
    /// Number of bytes of the head of the container and that of its first chunk.
    const HEAD_BYTES: usize = 12 + 8;

    fn take(&mut self, awaited: AwaitedOfWebp, bytes: usize) -> Step {
        self.awaited = awaited;
        Step::Take(bytes)
    }

    /// Goes on after the beginning of the first chunk.
    fn sized(&mut self, size: (u32, u32), bytes: usize) -> Step {
        self.size = Some(size);
        self.awaited = AwaitedOfWebp::Rest;
        Step::Skip(self.length.saturating_sub((Self::HEAD_BYTES + bytes) as u64))
    }
}

impl Structure for Webp {
    fn next(&mut self, taken: &[u8]) -> Step {
        use AwaitedOfWebp as A;
        match (self.awaited, taken) {
            (A::Start, _) => self.take(A::Head, Self::HEAD_BYTES),
            (A::Head, head) => {
                self.length = 8 + u64::from(little32(&head[4..])).next_multiple_of(2);
                match &head[12..16] {
                    b"VP8 " => self.take(A::Lossy, 10),
                    b"VP8L" => self.take(A::Lossless, 5),
                    b"VP8X" => self.take(A::Extended, 10),
                    _ => Step::End,
                }
            }
            (A::Lossy, [_, _, _, 0x9D, 0x01, 0x2A, sides @ ..]) => {
                // The upper two bits are how it is to be scaled, which nobody does.
                let side = |at: usize| little16(&sides[at..]) & 0x3FFF;
                self.sized((side(0), side(2)), taken.len())
            }
            (A::Lossless, [0x2F, size @ ..]) => {
                let bits = little32(size);
                self.sized(((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1), taken.len())
            }
            (A::Extended, [_, _, _, _, w0, w1, w2, h0, h1, h2]) => {
                let side = |bytes| u32::from_le_bytes(bytes) + 1;
                self.sized((side([*w0, *w1, *w2, 0]), side([*h0, *h1, *h2, 0])), taken.len())
            }
            _ => Step::End,
        }
    }

    fn size(&self) -> Option<(u32, u32)> {
        self.size
    }
}

/// The structure of a BMP file: a header with the length of the whole.
#[derive(Default)]
pub(super) struct Bmp {
    awaited: AwaitedOfBmp,
    size: Option<(u32, u32)>,
}

/// The bytes of a BMP file that were asked for.
#[derive(Clone, Copy, Default)]
enum AwaitedOfBmp {
    #[default]
    Start,
    /// The header of the file, and as much of that of the image as has the size.
    Header,
    /// The end of the image.
    Rest,
}

impl Bmp {
    const HEADER_BYTES: usize = 14 + 12;
}

impl Structure for Bmp {
    fn next(&mut self, taken: &[u8]) -> Step {
        match self.awaited {
            AwaitedOfBmp::Start => {
                self.awaited = AwaitedOfBmp::Header;
                Step::Take(Self::HEADER_BYTES)
            }
            AwaitedOfBmp::Header => {
                self.awaited = AwaitedOfBmp::Rest;
                self.size = match little32(&taken[14..]) {
                    12 => Some((little16(&taken[18..]), little16(&taken[20..]))),
                    // A negative height says that the rows go from top to bottom.
                    16 | 40 | 52 | 56 | 64 | 108 | 124 => {
                        let width = i32::try_from(little32(&taken[18..])).unwrap_or_default();
                        let height = little32(&taken[22..]).cast_signed();
                        Some((width.unsigned_abs(), height.unsigned_abs()))
                    }
                    _ => None,
                };
                let length = u64::from(little32(&taken[2..]));
                Step::Skip(length.saturating_sub(Self::HEADER_BYTES as u64))
            }
            AwaitedOfBmp::Rest => Step::End,
        }
    }

    fn size(&self) -> Option<(u32, u32)> {
        self.size
    }
}

fn big32(bytes: &[u8]) -> u32 {
    bytes.first_chunk().map_or(0, |it| u32::from_be_bytes(*it))
}

fn little32(bytes: &[u8]) -> u32 {
    bytes.first_chunk().map_or(0, |it| u32::from_le_bytes(*it))
}

fn little16(bytes: &[u8]) -> u32 {
    bytes.first_chunk().map_or(0, |it| u16::from_le_bytes(*it).into())
}
