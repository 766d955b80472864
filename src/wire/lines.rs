//! A channel's stream as lines: as text for people, or one JSON value a line for programs.
//!
//! Both are translations of the stream's frames, so that they begin, resume and lag as it does.

use std::collections::VecDeque;
use std::fmt::Write;

use bytes::{Bytes, BytesMut};
use chrono::{DateTime, Utc};
use serde::Deserialize;

use crate::domain::time::Timestamp;

/// Number of pings without anything else after which an empty line is sent, so that proxies keep the
/// connection and the client can tell a dead one: half a minute of pings.
const PINGS_PER_EMPTY_LINE: u8 = 6;
/// Number of messages whose latest edit a transcript remembers, to tell edits from reactions.
const REMEMBERED_EDITS: usize = 128;

/// The form of the lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A transcript: a line a message, its further lines indented by two spaces.
    Transcript,
    /// A `Message` a line as JSON, and `{"event": …}` for what is no message.
    Json,
    /// The frames as they are.
    Frames,
}

/// A translator of the frames of a channel's stream into lines.
#[derive(Debug)]
pub struct Lines {
    form: Form,
    /// The server's address, to make those of files absolute.
    base: String,
    /// Messages that were sent earlier than this are left out.
    not_before: Option<Timestamp>,
    /// The beginning of a frame whose end has not come yet.
    rest: BytesMut,
    /// The number of pings since the last line.
    pings: u8,
    /// The messages that were sent last, by their sequence, with the time of their latest edit.
    edits: VecDeque<(u64, Option<String>)>,
}

/// The parts of a message's JSON that a transcript shows.
#[derive(Deserialize)]
struct Said {
    seq: u64,
    author: Author,
    text: String,
    sent_at: DateTime<Utc>,
    edited_at: Option<String>,
    attachments: Vec<File>,
}

#[derive(Deserialize)]
struct Author {
    display_name: String,
    #[serde(default)]
    bot: bool,
}

#[derive(Deserialize)]
struct File {
    url: String,
}

#[derive(Deserialize)]
struct Sent {
    sent_at: DateTime<Utc>,
}

/// A frame's event and data.
struct Frame<'a> {
    event: &'a str,
    data: &'a str,
}

impl<'a> Frame<'a> {
    /// Reads a frame; `None` for one that is no event.
    fn of(frame: &'a [u8]) -> Option<Self> {
        let frame = std::str::from_utf8(frame).ok()?;
        let mut lines = frame.lines();
        let event = lines.next()?.strip_prefix("event: ")?;
        Some(Self { event, data: lines.next_back()?.strip_prefix("data: ")? })
    }
}

impl Lines {
    /// A translator to this form, for a client that knows the server by the address `base`.
    #[must_use]
    pub fn new(form: Form, base: &str, not_before: Option<Timestamp>) -> Self {
        let base = base.to_owned();
        let (rest, edits) = (BytesMut::new(), VecDeque::new());
        Self { form, base, not_before, rest, pings: 0, edits }
    }

    /// Translates the next piece of a stream. Nothing may come of it.
    pub fn translate(&mut self, piece: &[u8]) -> Bytes {
        self.rest.extend_from_slice(piece);
        let mut lines = Vec::new();
        while let Some(end) = self.rest.windows(2).position(|pair| pair == b"\n\n") {
            let frame = self.rest.split_to(end + 2).freeze();
            self.translate_frame(&frame, &mut lines);
        }
        lines.into()
    }

    fn translate_frame(&mut self, bytes: &[u8], lines: &mut Vec<u8>) {
        let frame = Frame::of(&bytes[..bytes.len() - 2]);
        if frame.as_ref().is_some_and(|it| it.event == "message" && self.is_too_early(it.data)) {
            return;
        }
        match (self.form, frame) {
            (Form::Frames, _) => lines.extend_from_slice(bytes),
            (_, None) => {}
            (_, Some(frame)) if frame.event == "ping" => {
                self.pings += 1;
                if self.pings == PINGS_PER_EMPTY_LINE {
                    self.pings = 0;
                    lines.push(b'\n');
                }
            }
            (form, Some(frame)) => {
                let before = lines.len();
                match form {
                    Form::Json => json_line(&frame, lines),
                    _ => self.transcribe(&frame, lines),
                }
                if lines.len() > before {
                    self.pings = 0;
                }
            }
        }
    }

    fn is_too_early(&self, message: &str) -> bool {
        let Some(not_before) = self.not_before else { return false };
        let sent: Option<Sent> = serde_json::from_str(message).ok();
        sent.is_some_and(|it| Timestamp::from(it.sent_at) < not_before)
    }

    /// Adds what a transcript says of an event.
    fn transcribe(&mut self, frame: &Frame<'_>, lines: &mut Vec<u8>) {
        match frame.event {
            "message" | "message-updated" | "message-restored" => {
                let Ok(said) = serde_json::from_str::<Said>(frame.data) else { return };
                let is_update = frame.event == "message-updated";
                if self.remember(said.seq, said.edited_at.as_ref()) || !is_update {
                    lines.extend_from_slice(said.transcribed(&self.base).as_bytes());
                }
            }
            "reset" => {
                lines.extend_from_slice(
                    b"# Something may be missing here. All that is kept follows.\n",
                );
            }
            "channel-deleted" => lines.extend_from_slice(b"# The channel was deleted.\n"),
            _ => {}
        }
    }

    /// Remembers a message's latest edit. Returns whether it is another one than was known.
    fn remember(&mut self, seq: u64, edited_at: Option<&String>) -> bool {
        if let Some((_, known)) = self.edits.iter_mut().find(|(known, _)| *known == seq) {
            let news = known.as_ref() != edited_at;
            *known = edited_at.cloned();
            return news;
        }
        if self.edits.len() == REMEMBERED_EDITS {
            self.edits.pop_front();
        }
        self.edits.push_back((seq, edited_at.cloned()));
        edited_at.is_some()
    }
}

/// Adds the JSON line of an event: the message of one that has a message, else the event itself.
/// Who comes, goes or types makes no line.
fn json_line(frame: &Frame<'_>, lines: &mut Vec<u8>) {
    match frame.event {
        "message" | "message-updated" | "message-restored" => {
            lines.extend_from_slice(frame.data.as_bytes());
        }
        "reset" => lines.extend_from_slice(b"{\"event\":\"reset\"}"),
        "message-deleted" | "channel-deleted" => {
            let members = frame.data.strip_prefix('{').unwrap_or("}");
            let event = format!("{{\"event\":\"{}\",{members}", frame.event);
            lines.extend_from_slice(event.as_bytes());
        }
        _ => return,
    }
    lines.push(b'\n');
}

/// The transcript of a message from its JSON; `None` for what is none.
#[must_use]
pub fn transcript_of(message: &[u8], base: &str) -> Option<String> {
    let said: Said = serde_json::from_slice(message).ok()?;
    Some(said.transcribed(base))
}

impl Said {
    /// The message as a line, and its further lines: `2026-11-23 09:30:00Z Ada: text`.
    fn transcribed(&self, base: &str) -> String {
        let mark = if self.author.bot { " (bot)" } else { "" };
        let name = on_one_line(&self.author.display_name);
        let mut line = format!("{}Z {name}{mark}:", self.sent_at.format("%Y-%m-%d %H:%M:%S"));
        let text = Some(&*self.text).filter(|text| !text.is_empty());
        let text = text.into_iter().flat_map(|text| text.split(is_line_end));
        let text = text.map(on_one_line);
        let files = self.attachments.iter().map(|file| format!("{base}{}", file.url));
        for (n, part) in text.chain(files).enumerate() {
            // Memory does not fail.
            let _ = write!(line, "{}{part}", if n == 0 { " " } else { "\n  " });
        }
        line.push('\n');
        line
    }
}

/// The text of several lines with controls replaced by signs for them: a terminal would obey them.
#[must_use]
pub fn without_controls(text: &str) -> String {
    text.split('\n').map(on_one_line).collect::<Vec<_>>().join("\n")
}

/// Tells whether programs take a character for the end of a line: where only some of them do, a text
/// could look like another message to the others.
fn is_line_end(sign: char) -> bool {
    matches!(
        sign,
        '\n' | '\u{B}' | '\u{C}' | '\u{1C}'..='\u{1E}' | '\u{85}' | '\u{2028}' | '\u{2029}'
    )
}

/// The text with controls replaced by signs for them: a terminal would obey them.
fn on_one_line(text: &str) -> String {
    let visible = |sign: char| match sign {
        '\t' => sign,
        '\0'..='\u{1F}' => char::from_u32(0x2400 + u32::from(sign)).unwrap_or('\u{FFFD}'),
        '\u{7F}' => '\u{2421}',
        sign if sign.is_control() || is_line_end(sign) => '\u{FFFD}',
        sign => sign,
    };
    text.chars().map(visible).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn message(seq: u64, text: &str, edited_at: Option<&str>, files: &[&str]) -> String {
        let files: Vec<_> = files.iter().map(|url| json!({ "url": url })).collect();
        json!({
            "seq": seq, "author": { "display_name": "Ada", "bot": seq == 7 }, "text": text,
            "sent_at": "2026-11-23T09:30:00.123Z", "edited_at": edited_at, "attachments": files,
        })
        .to_string()
    }

    #[track_caller]
    fn check(text: &str, files: &[&str], expected: &str) {
        let transcribed = transcript_of(message(1, text, None, files).as_bytes(), "http://h");
        assert_eq!(transcribed.as_deref(), Some(expected), "{text:?}");
    }

    #[test]
    fn a_message_is_a_line_and_its_further_lines_are_indented() {
        check("hi", &[], "2026-11-23 09:30:00Z Ada: hi\n");
        check("one\ntwo\n\nthree", &[], "2026-11-23 09:30:00Z Ada: one\n  two\n  \n  three\n");
        check("", &["/a/b"], "2026-11-23 09:30:00Z Ada: http://h/a/b\n");
        check("see", &["/a", "/b"], "2026-11-23 09:30:00Z Ada: see\n  http://h/a\n  http://h/b\n");
        check("über 李小龍 🚀", &[], "2026-11-23 09:30:00Z Ada: über 李小龍 🚀\n");
        check("a\tb", &[], "2026-11-23 09:30:00Z Ada: a\tb\n");
    }

    #[test]
    fn no_text_looks_like_another_message_or_commands_a_terminal() {
        for end in ['\n', '\u{B}', '\u{C}', '\u{1C}', '\u{1D}', '\u{1E}', '\u{85}', '\u{2028}'] {
            let forged = format!("a{end}2026-11-23 09:30:00Z Bob: yes");
            let expected = "2026-11-23 09:30:00Z Ada: a\n  2026-11-23 09:30:00Z Bob: yes\n";
            check(&forged, &[], expected);
        }
        check("\u{1b}[2Jgone", &[], "2026-11-23 09:30:00Z Ada: ␛[2Jgone\n");
        check("\u{7}\u{8}\u{7f}", &[], "2026-11-23 09:30:00Z Ada: ␇␈␡\n");
        check("\u{9b}31m", &[], "2026-11-23 09:30:00Z Ada: \u{FFFD}31m\n");
    }

    #[test]
    fn a_bot_is_marked() {
        let transcribed = transcript_of(message(7, "up", None, &[]).as_bytes(), "");
        assert_eq!(transcribed.as_deref(), Some("2026-11-23 09:30:00Z Ada (bot): up\n"));
    }

    fn frame(event: &str, data: &str) -> String {
        format!("event: {event}\nid: 1\ndata: {data}\n\n")
    }

    #[track_caller]
    fn lines(form: Form, stream: &str) -> String {
        // In two pieces, wherever it is cut.
        let whole = Lines::new(form, "", None).translate(stream.as_bytes());
        for cut in 0..stream.len() {
            let mut lines = Lines::new(form, "", None);
            let (one, two) = stream.as_bytes().split_at(cut);
            assert_eq!([lines.translate(one), lines.translate(two)].concat(), whole, "{cut}");
        }
        String::from_utf8(whole.to_vec()).expect("text")
    }

    #[test]
    fn a_stream_becomes_lines() {
        let said = message(1, "hi", None, &[]);
        let edited = message(1, "hello", Some("2026-11-23T09:31:00.000Z"), &[]);
        let stream = [
            "retry: 1000\nid: 0\n\n".to_owned(),
            frame("message", &said),
            "event: joined\ndata: {}\n\n".to_owned(),
            frame("message-updated", &said),
            frame("message-updated", &edited),
            frame("message-updated", &edited),
            frame("reset", "{\"reason\":\"too-slow\"}"),
            frame("message-deleted", "{\"id\":\"m1\",\"seq\":1}"),
            frame("message-restored", &edited),
            frame("channel-deleted", "{\"name\":\"ops\"}"),
        ]
        .concat();
        assert_eq!(
            lines(Form::Transcript, &stream),
            "2026-11-23 09:30:00Z Ada: hi\n2026-11-23 09:30:00Z Ada: hello\n\
             # Something may be missing here. All that is kept follows.\n\
             2026-11-23 09:30:00Z Ada: hello\n# The channel was deleted.\n"
        );
        assert_eq!(
            lines(Form::Json, &stream),
            format!(
                "{said}\n{said}\n{edited}\n{edited}\n{{\"event\":\"reset\"}}\n\
                 {{\"event\":\"message-deleted\",\"id\":\"m1\",\"seq\":1}}\n{edited}\n\
                 {{\"event\":\"channel-deleted\",\"name\":\"ops\"}}\n"
            )
        );
        assert_eq!(lines(Form::Frames, &stream), stream);
    }

    #[test]
    fn an_empty_line_follows_half_a_minute_of_pings() {
        let mut lines = Lines::new(Form::Json, "", None);
        let ping = b"event: ping\ndata: {}\n\n";
        let said = |lines: &mut Lines| (0..6).map(|_| lines.translate(ping)).collect::<Vec<_>>();
        assert_eq!(said(&mut lines).concat(), b"\n");
        lines.translate(ping);
        lines.translate(frame("reset", "{}").as_bytes());
        assert_eq!(lines.translate(&ping.repeat(5)), "");
        assert_eq!(lines.translate(ping), "\n");
    }

    #[test]
    fn what_was_sent_too_early_is_left_out() {
        let stream = frame("message", &message(1, "hi", None, &[]));
        for (not_before, empty) in [(1_795_426_200_124, true), (1_795_426_200_123, false)] {
            for form in [Form::Transcript, Form::Json, Form::Frames] {
                let not_before = Some(Timestamp::from_millis(not_before));
                let mut lines = Lines::new(form, "", not_before);
                assert_eq!(lines.translate(stream.as_bytes()).is_empty(), empty, "{form:?}");
            }
        }
    }
}
