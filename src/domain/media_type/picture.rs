//! Pictures: their size and their end, found in one pass over bytes that come in pieces.
//!
//! However much metadata is in front, nothing of it is kept: a [`Structure`] says which bytes it
//! wants to see, and the [`PictureReader`] skips the others. So the memory is bounded by the largest
//! piece that any format asks for (256 KiB, for the description of an AVIF). The time is that of
//! looking at each byte once, and of at most one step for every [`BYTES_PER_STEP`] bytes, beside
//! [`FREE_STEPS`]: a file of tinier pieces is no picture.

mod avif;
mod formats;
mod jpeg;

use self::avif::Avif;
use self::formats::{Bmp, Gif, Png, Webp};
use self::jpeg::Jpeg;

/// The structure of a picture's file, in the order of its bytes.
trait Structure: Send {
    /// Takes the bytes that the previous step asked for, none before the first, and says what comes
    /// next.
    fn next(&mut self, taken: &[u8]) -> Step;

    /// The width and height in pixels, as browsers show it, once they are known.
    fn size(&self) -> Option<(u32, u32)>;
}

/// What a [`Structure`] wants of the bytes that come next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// So many bytes.
    Take(usize),
    /// What follows so many bytes.
    Skip(u64),
    /// What follows the next byte of this value.
    Find(u8),
    /// Nothing: the picture has ended.
    End,
}

/// The number of bytes at the start of a file by which its format is recognised.
const START: usize = 12;

/// The number of steps that any file may take, some 10 ms of them.
const FREE_STEPS: u64 = 1_000_000;
/// The number of bytes that a file must have for each further step. The data of JPEG files have about
/// 128 for each.
const BYTES_PER_STEP: u64 = 32;

/// A reader of a picture that is given the file's bytes as they come in.
pub(super) struct PictureReader {
    /// The structure, once it is recognised.
    structure: Option<Box<dyn Structure>>,
    step: Step,
    /// The bytes of the present [`Step::Take`] that have come so far.
    taken: Vec<u8>,
    behind: Ends,
    /// The number of bytes given so far.
    bytes: u64,
    /// The number of steps taken so far.
    steps: u64,
}

impl PictureReader {
    pub(super) fn new() -> Self {
        Self {
            structure: None,
            step: Step::Take(START),
            taken: Vec::new(),
            behind: Ends::default(),
            bytes: 0,
            steps: 0,
        }
    }

    /// Takes the next bytes of the file.
    pub(super) fn look(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len() as u64;
        self.walk(bytes);
    }

    /// The width and height, in pixels; `None` where it is no picture.
    pub(super) fn size(&self) -> Option<(u32, u32)> {
        self.structure.as_ref()?.size()
    }

    /// The bytes behind the end of the picture.
    pub(super) fn behind(&self) -> &Ends {
        &self.behind
    }

    fn walk(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let used = match self.step {
                Step::Take(wanted) => self.take(wanted, bytes),
                Step::Skip(left) => {
                    let skipped =
                        usize::try_from(left).map_or(bytes.len(), |it| it.min(bytes.len()));
                    self.step = Step::Skip(left - skipped as u64);
                    skipped
                }
                Step::Find(wanted) => match bytes.iter().position(|byte| *byte == wanted) {
                    Some(at) => {
                        self.step = Step::Skip(0);
                        at + 1
                    }
                    None => bytes.len(),
                },
                Step::End => {
                    self.behind.look(bytes);
                    bytes.len()
                }
            };
            bytes = &bytes[used..];
            while self.step == Step::Skip(0) {
                self.advance(&[]);
            }
        }
    }

    /// Takes bytes until there are as many as wanted. Returns the number of bytes used.
    fn take(&mut self, wanted: usize, bytes: &[u8]) -> usize {
        if self.taken.is_empty() && bytes.len() >= wanted {
            self.advance(&bytes[..wanted]);
            return wanted;
        }
        let used = (wanted - self.taken.len()).min(bytes.len());
        self.taken.extend_from_slice(&bytes[..used]);
        if self.taken.len() == wanted {
            let taken = std::mem::take(&mut self.taken);
            self.advance(&taken);
        }
        used
    }

    fn advance(&mut self, taken: &[u8]) {
        self.steps += 1;
        if self.steps > FREE_STEPS + self.bytes / BYTES_PER_STEP {
            self.structure = None;
            self.step = Step::End;
        } else if let Some(structure) = &mut self.structure {
            self.step = structure.next(taken);
            if self.step == Step::End {
                self.behind.look(taken);
            }
        } else {
            self.structure = structure(taken);
            self.step = self.structure.as_mut().map_or(Step::End, |it| it.next(&[]));
            self.walk(taken); // a second time, by its structure
        }
    }
}

/// The structure of a file that starts so; `None` where it is no picture that browsers show.
fn structure(start: &[u8]) -> Option<Box<dyn Structure>> {
    Some(match start {
        [0xFF, 0xD8, 0xFF, ..] => Box::<Jpeg>::default(),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Box::<Gif>::default(),
        [b'B', b'M', ..] => Box::<Bmp>::default(),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P'] => Box::<Webp>::default(),
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => Box::<Avif>::default(),
        png if png.starts_with(b"\x89PNG\r\n\x1A\n") => Box::<Png>::default(),
        _ => return None,
    })
}

/// The first and the last bytes of a sequence that comes in pieces.
#[derive(Default)]
pub(super) struct Ends {
    first: Vec<u8>,
    last: Vec<u8>,
}

impl Ends {
    /// Number of bytes kept at either end.
    const BYTES: usize = 1024;

    pub(super) fn look(&mut self, bytes: &[u8]) {
        let room = Self::BYTES - self.first.len();
        self.first.extend_from_slice(&bytes[..room.min(bytes.len())]);
        let last = &bytes[bytes.len().saturating_sub(Self::BYTES)..];
        let excess = (self.last.len() + last.len()).saturating_sub(Self::BYTES);
        self.last.drain(..excess);
        self.last.extend_from_slice(last);
    }

    /// The first and the last bytes. They overlap where there are few.
    pub(super) fn both(&self) -> [&[u8]; 2] {
        [&self.first, &self.last]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A box of a file in ISO's base media format.
    pub(super) fn boxed(kind: &str, content: &[u8]) -> Vec<u8> {
        let length = u32::try_from(8 + content.len()).expect("short");
        [&length.to_be_bytes()[..], kind.as_bytes(), content].concat()
    }

    fn read(bytes: &[u8], piece: usize) -> PictureReader {
        let mut reader = PictureReader::new();
        for piece in bytes.chunks(piece) {
            reader.look(piece);
        }
        reader
    }

    /// Checks a picture's size, and that its end is found: whatever the pieces are, and whatever is
    /// behind it.
    #[track_caller]
    fn check(name: &str, picture: &[u8], size: impl Into<Option<(u32, u32)>>) {
        let size = size.into();
        let followed = [picture, b"<html>hi"].concat();
        for piece in [1, 2, 7, 4096, usize::MAX] {
            let piece = piece.min(followed.len());
            assert_eq!(read(picture, piece).size(), size, "{name}, by {piece}");
            let reader = read(&followed, piece);
            assert_eq!(reader.size(), size, "{name} and more, by {piece}");
            if size.is_some() {
                let [behind, _] = reader.behind().both();
                assert!(behind.ends_with(b"<html>hi"), "{name}, by {piece}: {behind:?}");
                assert!(behind.len() <= 8 + 8, "{name}, by {piece}: {} bytes", behind.len());
            }
        }
    }

    /// A segment of a JPEG file.
    fn segment(code: u8, content: &[u8]) -> Vec<u8> {
        let length = u16::try_from(2 + content.len()).expect("short").to_be_bytes();
        [&[0xFF, code], &length[..], content].concat()
    }

    /// A frame of 3 by 2 pixels, and a scan.
    fn frame(code: u8) -> Vec<u8> {
        let scan = b"\xFF\xDA\0\x08\x01\x01\0\0\x3F\0\x12\xFF\0\x34\xFF\xD0\x56\xFF\xD9";
        [&segment(code, b"\x08\0\x02\0\x03\x01\x01\x11\0")[..], scan].concat()
    }

    /// Exif data with this orientation.
    fn exif(orientation: u8) -> Vec<u8> {
        let start = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0";
        [&start[..], &[orientation], b"\0\0\0\0\0\0"].concat()
    }

    fn jpeg(parts: &[Vec<u8>]) -> Vec<u8> {
        [b"\xFF\xD8".to_vec(), parts.concat()].concat()
    }

    #[test]
    fn a_jpeg_has_its_size_behind_any_metadata() {
        check("bare", &jpeg(&[frame(0xC0)]), (3, 2));
        let xmp = [&b"http://ns.adobe.com/xap/1.0/\0<html>"[..], &vec![0xFF; 60_000][..]].concat();
        check("XMP", &jpeg(&[segment(0xE1, &xmp).repeat(8), frame(0xC2)]), (3, 2));
        let profile = segment(0xE2, &[b"ICC_PROFILE\0", &vec![7; 60_000][..]].concat());
        check("colour profile", &jpeg(&[profile.repeat(20), frame(0xC1)]), (3, 2));
        check("comment", &jpeg(&[segment(0xFE, b"<script>"), frame(0xC0)]), (3, 2));
        // The thumbnail in a segment is a picture, too, of another size.
        let thumbnail = jpeg(&[segment(0xC0, b"\x08\0\x09\0\x09\x01\x01\x11\0")]);
        check("thumbnail", &jpeg(&[segment(0xE1, &thumbnail), frame(0xC0)]), (3, 2));
        check("padding", &jpeg(&[vec![0xFF; 9], frame(0xC0)]), (3, 2));
        check("lossless", &jpeg(&[frame(0xC3)]), None);
        check("no frame", &jpeg(&[segment(0xE1, &xmp)]), None);
    }

    #[test]
    fn a_jpeg_is_turned_by_its_first_exif_orientation() {
        for orientation in 0..=9 {
            let size = if (5..=8).contains(&orientation) { (2, 3) } else { (3, 2) };
            let photo = jpeg(&[segment(0xE1, &exif(orientation)), frame(0xC0)]);
            check(&format!("orientation {orientation}"), &photo, size);
        }
        let xmp = segment(0xE1, &vec![b'x'; 60_000][..]);
        check("XMP first", &jpeg(&[xmp.repeat(8), segment(0xE1, &exif(8)), frame(0xC0)]), (2, 3));
        let twice = [segment(0xE1, &exif(1)), segment(0xE1, &exif(6))].concat();
        check("twice", &jpeg(&[twice, frame(0xC0)]), (3, 2));
        let header = segment(0xC2, b"\x08\0\x02\0\x03\x01\x01\x11\0");
        let late = [header, segment(0xE1, &exif(6)), b"\xFF\xDA\0\x02\x12\xFF\xD9".to_vec()];
        check("after the frame", &jpeg(&late), (2, 3));
        let mut broken = exif(6);
        let end = broken.len() - 4;
        broken[end..].fill(0xEE); // where the thumbnail would be
        check("broken elsewhere", &jpeg(&[segment(0xE1, &broken), frame(0xC0)]), (2, 3));
        check("not Exif", &jpeg(&[segment(0xE1, b"Exif\0\0nonsense"), frame(0xC0)]), (3, 2));
        check("empty", &jpeg(&[segment(0xE1, b"Exif\0\0"), frame(0xC0)]), (3, 2));
    }

    /// A chunk of a PNG file.
    fn chunk(kind: &str, content: &[u8]) -> Vec<u8> {
        let length = u32::try_from(content.len()).expect("short").to_be_bytes();
        [&length[..], kind.as_bytes(), content, b"CRC!"].concat()
    }

    fn png(header: Vec<u8>, parts: &[Vec<u8>]) -> Vec<u8> {
        let end = chunk("IEND", b"");
        [b"\x89PNG\r\n\x1A\n".to_vec(), header, parts.concat(), end].concat()
    }

    #[test]
    fn a_png_has_its_size_in_its_first_chunk() {
        let header = || chunk("IHDR", b"\0\0\0\x03\0\0\0\x02\x08\x02\0\0\0");
        let text = |text: &[u8]| chunk("tEXt", &[b"Comment\0", text].concat());
        check("bare", &png(header(), &[]), (3, 2));
        check("text", &png(header(), &[text(b"<html"), chunk("IDAT", b"IEND")]), (3, 2));
        check("long text", &png(header(), &[text(&vec![b'<'; 300_000][..])]), (3, 2));
        check("text at its end", &png(header(), &[chunk("IDAT", b""), text(b"<svg>")]), (3, 2));
        check(
            "Exif, which does not count",
            &png(header(), &[chunk("eXIf", &exif(6)[6..])]),
            (3, 2),
        );
        check("Apple's own", &png(chunk("CgBI", b"\0\0\0\0"), &[header()]), None);
        let most = chunk("IHDR", b"\0\0\xFF\xFF\0\0\xFF\xFF\x08\x02\0\0\0");
        check("huge", &png(most, &[]), (65_535, 65_535));
    }

    #[test]
    fn a_gif_has_its_size_in_front() {
        let screen = |flags: &[u8]| [b"GIF89a\x03\0\x02\0", flags].concat();
        let image = b",\0\0\0\0\x03\0\x02\0\0\x02\x02\x84Q\0";
        let comment = [&b"!\xFE\x05<html"[..], b"\xFF", &[b';'; 255], b"\0"].concat();
        let xmp = [&b"!\xFF\x0BXMP DataXMP"[..], &b"\x04<svg".repeat(300), b"\0"].concat();
        let of = |parts: &[&[u8]]| [&parts.concat()[..], b";"].concat();
        check("no image", &of(&[&screen(b"\0\0\0")]), (3, 2));
        check("table", &of(&[&screen(b"\x81\0\0"), b"abcdefghijkl", image]), (3, 2));
        check("comment", &of(&[&screen(b"\0\0\0"), &comment, image]), (3, 2));
        check("XMP", &of(&[&screen(b"\0\0\0"), &xmp.repeat(9), image, &xmp]), (3, 2));
        let own_table = b",\0\0\0\0\x03\0\x02\0\x80;;;;;;\x02\x02\x84Q\0";
        check("own table", &of(&[&screen(b"\0\0\0"), own_table, image]), (3, 2));
        check("older", &of(&[b"GIF87a\x03\0\x02\0\0\0\0", image]), (3, 2));
    }

    /// A WebP file of these chunks.
    fn webp(chunks: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
        let mut content = b"WEBP".to_vec();
        for (kind, bytes) in chunks {
            let length = u32::try_from(bytes.len()).expect("short").to_le_bytes();
            let padding = &b"\0"[..bytes.len() % 2];
            content.extend([&kind[..], &length, bytes, padding].concat());
        }
        let length = u32::try_from(content.len()).expect("short").to_le_bytes();
        [&b"RIFF"[..], &length, &content].concat()
    }

    #[test]
    fn a_webp_has_its_size_in_its_first_chunk() {
        let lossy = b"\x30\x01\0\x9D\x01\x2A\x03\x40\x02\xC0\0";
        check("lossy", &webp(&[(b"VP8 ", lossy)]), (3, 2));
        check("lossless", &webp(&[(b"VP8L", b"\x2F\x02\x40\0\0\x07\x08")]), (3, 2));
        let extended = (b"VP8X", &b"\x0C\0\0\0\x02\0\0\x01\0\0"[..]);
        check("extended", &webp(&[extended, (b"VP8 ", lossy)]), (3, 2));
        check(
            "Exif, which does not count",
            &webp(&[extended, (b"VP8 ", lossy), (b"EXIF", &exif(6)[6..])]),
            (3, 2),
        );
        let xmp = (b"XMP ", &vec![b'<'; 300_001][..]);
        check("XMP", &webp(&[extended, (b"ICCP", b"<html"), xmp, (b"VP8 ", lossy)]), (3, 2));
        check("no frame", &webp(&[(b"VP8 ", b"0123456789")]), None);
        check("no picture", &webp(&[(b"XMP ", b"0123456789")]), None);
    }

    #[test]
    fn a_bmp_has_its_size_in_front() {
        let bmp = |rest: &[u8]| {
            let length = u32::try_from(14 + rest.len()).expect("short").to_le_bytes();
            [&b"BM"[..], &length, b"\0\0\0\0\x36\0\0\0", rest].concat()
        };
        let header = |height: i32| {
            let rest = [&b"\x28\0\0\0\x03\0\0\0"[..], &height.to_le_bytes(), &[0; 28], b"pixels"];
            rest.concat()
        };
        check("upwards", &bmp(&header(2)), (3, 2));
        check("downwards", &bmp(&header(-2)), (3, 2));
        check("first version", &bmp(b"\x0C\0\0\0\x03\0\x02\0\x01\0\x18\0pixels"), (3, 2));
        check(
            "negative width",
            &bmp(&[&b"\x28\0\0\0\xFF\xFF\xFF\xFF"[..], &[0; 40]].concat()),
            (0, 0),
        );
        check("another header", &bmp(&[7; 40]), None);
    }

    /// An AVIF file whose first property is a size of 3 by 2 pixels, before these.
    fn avif(properties: &[Vec<u8>], associations: &[u8], others: &[Vec<u8>]) -> Vec<u8> {
        let size = boxed("ispe", b"\0\0\0\0\0\0\0\x03\0\0\0\x02");
        let properties = boxed("ipco", &[size, properties.concat()].concat());
        let table = boxed("ipma", associations);
        let meta = [
            b"\0\0\0\0".to_vec(),
            boxed("hdlr", b"\0\0\0\0\0\0\0\0pict\0\0\0\0\0\0\0\0\0\0\0\0\0"),
            boxed("pitm", b"\0\0\0\0\0\x01"),
            boxed("iprp", &[properties, table].concat()),
        ];
        let meta = boxed("meta", &meta.concat());
        [boxed("ftyp", b"avif\0\0\0\0mif1avif"), others.concat(), meta].concat()
    }

    #[test]
    fn an_avif_is_turned_by_its_own_property() {
        let turn = |quarters: u8| boxed("irot", &[quarters]);
        let first = b"\0\0\0\0\0\0\0\x01\0\x01\x02\x01\x82"; // item 1: properties 1 and 2
        for quarters in 0..4 {
            let size = if quarters % 2 == 1 { (2, 3) } else { (3, 2) };
            check(&format!("{quarters} quarters"), &avif(&[turn(quarters)], first, &[]), size);
        }
        check("mirrored", &avif(&[boxed("imir", b"\x01")], first, &[]), (3, 2));
        let other = b"\0\0\0\0\0\0\0\x02\0\x01\x01\x01\0\x02\x01\x82";
        check("another item is turned", &avif(&[turn(1)], other, &[]), (3, 2));
        let thumbnail = [turn(1), boxed("ispe", b"\0\0\0\0\0\0\x10\0\0\0\x10\0")];
        let own = b"\0\0\0\0\0\0\0\x02\0\x01\x01\x01\0\x02\x02\x03\x02";
        check("another item is larger", &avif(&thumbnail, own, &[]), (3, 2));
        let long = b"\x01\0\0\x01\0\0\0\x01\0\0\0\x01\x02\0\x01\x80\x02";
        check("a long table", &avif(&[turn(3)], long, &[]), (2, 3));
        check("no table", &avif(&[turn(3)], b"\0\0\0\0\0\0\0\0", &[]), (2, 3));
        check("a cut table", &avif(&[turn(1)], b"\0\0\0\0\xFF\xFF\xFF\xFF\0", &[]), (2, 3));
    }

    #[test]
    fn an_avif_may_have_anything_before_its_description() {
        let first = b"\0\0\0\0\0\0\0\x01\0\x01\x01\x01";
        let data = boxed("mdat", &vec![b'<'; 300_000][..]);
        check("data", &avif(&[], first, &[boxed("free", b"<html"), data]), (3, 2));
        let exif = boxed("uuid", &exif(6));
        check("Exif", &avif(&[], first, &[exif]), (3, 2));
        let long = b"\0\0\0\x01mdat\0\0\0\0\0\0\0\x15<html".to_vec();
        check("a long length", &avif(&[], first, &[long]), (3, 2));
        check("too long", &avif(&[], first, &[boxed("meta", &vec![0; 300_000][..])]), (3, 2));
        check("an empty one", &boxed("ftyp", b"avif\0\0\0\0mif1avif"), None);
        let endless = [&boxed("ftyp", b"avif\0\0\0\0")[..], b"\0\0\0\0meta", &[0; 99]].concat();
        assert_eq!(read(&endless, 5).size(), None, "it would be the rest of the file");
    }

    #[test]
    fn a_picture_in_crumbs_is_given_up() {
        let many = |start: &[u8], crumb: &[u8], end: &[u8]| {
            let crumbs = crumb.repeat(5_000_000 / crumb.len());
            read(&[start, &crumbs, end].concat(), 32 * 1024).size()
        };
        let end = frame(0xC0);
        assert_eq!(many(b"\xFF\xD8", b"\xFF", &end), None);
        assert_eq!(many(b"\xFF\xD8", b"\xFF\xE2\0\x02", &end), None);
        assert_eq!(many(b"\xFF\xD8", &segment(0xE2, &[7; 100]), &end), Some((3, 2)));
        let data = [&[7; 127][..], b"\xFF\0"].concat();
        assert_eq!(many(&jpeg(&[frame(0xC0)[..30].to_vec()]), &data, b"\xFF\xD9"), Some((3, 2)));
        let gif = b"GIF89a\x03\0\x02\0\0\0\0!\xFE";
        assert_eq!(many(gif, b"\x01x", b"\0;"), None);
        assert_eq!(many(gif, &[[255; 256], [0xFF; 256]].concat(), b"\0;"), Some((3, 2)));
        let ftyp = boxed("ftyp", b"avif\0\0\0\0");
        assert_eq!(many(&ftyp, b"\0\0\0\x08free", &avif(&[], b"", &[])), None);
    }

    #[test]
    fn what_is_no_picture_has_no_size() {
        check("nothing", b"", None);
        check("text", b"GIF is a format, and so is BMP", None);
        for cut in [
            &b"\x89PNG\r\n\x1A\n\0\0\0\rIHDR\0\0"[..],
            b"\xFF\xD8\xFF\xC0\0\x0B\x08\0\x02\0",
            b"RIFF\0\0\0\0WEBPVP8X",
            b"GIF89a",
            b"BM",
        ] {
            assert_eq!(read(cut, 3).size(), None, "{}", cut.escape_ascii());
        }
        check("noise", &[0xA5; 5_000], None);
    }
}
