//! Tests of files: sent with messages, served to those who can read them, gone with them.

use std::fs;
use std::time::{Duration, Instant};

use futures::FutureExt;
use percent_encoding::percent_decode_str;
use rocket::http::Method;
use rocket::tokio::task::yield_now;
use serde_json::{Value, json};

use crate::harness::{Answer, Person, Workspace};

/// A GIF of 3 by 2 pixels.
const GIF: &[u8] =
    b"GIF89a\x03\x00\x02\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x00\x00\x00\
    \x00\x00,\x00\x00\x00\x00\x03\x00\x02\x00\x00\x02\x02\x84Q\x00;";

const GENERAL: &str = "/api/channels/general/messages";

fn attachments(message: &Value) -> Vec<Value> {
    message["attachments"].as_array().expect("attachments").clone()
}

fn url(attachment: &Value) -> String {
    attachment["url"].as_str().expect("a url").into()
}

/// Counts the files in the data directory.
fn stored(workspace: &Workspace) -> usize {
    fs::read_dir(workspace.data().join("files")).expect("a directory of files").count()
}

/// Waits until that many files are on disk, since files are removed in the background.
async fn holds(workspace: &Workspace, files: usize) {
    let give_up = Instant::now() + Duration::from_secs(30);
    while stored(workspace) != files {
        assert!(Instant::now() < give_up, "{} files are stored, not {files}", stored(workspace));
        yield_now().await;
    }
}

#[rocket::async_test]
async fn files_come_with_a_message_and_are_given_back() {
    let workspace = Workspace::start().await;
    let (ada, bob) = (workspace.signed_in_as("Ada").await, workspace.signed_in_as("Bob").await);
    let mut heard = bob.listens("general").await;

    let sent = ada.sends("general", "look", &[("cat.gif", GIF), ("notes.txt", b"one\n")]).await;

    assert_eq!(sent.status, 201, "{sent:?}");
    let message = sent.json();
    let [cat, notes] = &attachments(&message)[..] else { panic!("two files in {message}") };
    assert_eq!((&cat["name"], &cat["media_type"]), (&json!("cat.gif"), &json!("image/gif")));
    assert_eq!((&cat["width"], &cat["height"]), (&json!(3), &json!(2)));
    assert_eq!(cat["size"], GIF.len());
    assert_eq!((&notes["media_type"], &notes["size"]), (&json!("text/plain"), &json!(4)));
    assert!(notes.get("width").is_none(), "{notes}");
    assert_eq!(heard.next_named("message").await.data, message, "all see the same");

    let given = bob.get(&url(cat)).await;
    assert_eq!((given.status, &given.bytes[..]), (200, GIF));
    assert_eq!(given.header("Content-Type"), Some("image/gif"));
    assert_eq!(given.header("Content-Length"), Some(&*GIF.len().to_string()));
    assert_eq!(given.header("X-Content-Type-Options"), Some("nosniff"));
    let policy = given.header("Content-Security-Policy").expect("a policy");
    assert!(policy.contains("sandbox") && policy.contains("default-src 'none'"), "{policy}");
    assert!(given.header("Content-Disposition").expect("how").starts_with("inline"));
    assert_eq!(bob.get(&url(notes)).await.text, "one\n");
}

#[rocket::async_test]
async fn a_message_may_have_files_alone_but_not_nothing() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    let sent = ada.sends("general", "", &[("cat.gif", GIF)]).await;
    assert_eq!((sent.status, &sent.json()["text"]), (201, &json!("")));
    let nothing = ada.sends("general", " ", &[]).await;
    assert_eq!(nothing.refused(422, "empty-message")["field"], "text");
    // What a browser sends where no file was chosen.
    let unchosen = ada.sends("general", "just text", &[("", b"")]).await;
    assert_eq!((unchosen.status, attachments(&unchosen.json()).len()), (201, 0));
}

#[rocket::async_test]
async fn a_text_leaves_the_files_and_a_form_replaces_both() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    let put = |text: &'static str, files: &'static [(&str, &[u8])]| {
        let ada = ada.clone();
        async move { ada.sends_as(Method::Put, &format!("{GENERAL}/m1"), text, files).await }
    };
    let first = put("one", &[("a.txt", b"a"), ("b.txt", b"b")]).await;
    assert_eq!(first.status, 201);
    let [a, b] = &attachments(&first.json())[..] else { panic!("two files") };

    let mut heard = ada.listens("general").await;
    let again = put("one", &[("a.txt", b"a"), ("b.txt", b"b")]).await;
    assert_eq!((again.status, again.json()), (200, first.json()), "the same changes nothing");
    holds(&workspace, 2).await;

    let text = ada.puts("general", "m1", "two").await.json();
    assert_eq!(text["attachments"], first.json()["attachments"]);
    assert_eq!(heard.next_named("message-updated").await.data["text"], "two", "nothing before it");
    let silent = ada.puts("general", "m1", "").await;
    assert_eq!((silent.status, &silent.json()["text"]), (200, &json!("")), "it has files");

    let both = put("three", &[("b.txt", b"b"), ("c.txt", b"c")]).await.json();
    let [kept, c] = &attachments(&both)[..] else { panic!("two files in {both}") };
    assert_eq!((kept, &c["name"]), (b, &json!("c.txt")), "what is the same keeps its address");
    ada.get(&url(a)).await.refused(404, "no-such-attachment");
    holds(&workspace, 2).await;

    assert_eq!(attachments(&put("four", &[]).await.json()), Vec::<Value>::new());
    holds(&workspace, 0).await;
    let without = ada.puts("general", "m1", " ").await;
    without.refused(422, "empty-message");
}

#[rocket::async_test]
async fn files_go_with_their_message() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    let mut addresses = Vec::new();
    for (channel, id) in [("general", "deleted"), ("general", "fallen"), ("other", "closed")] {
        if channel == "other" {
            ada.creates(channel).await;
        }
        let path = format!("/api/channels/{channel}/messages/{id}");
        let sent = ada.sends_as(Method::Put, &path, "", &[("cat.gif", GIF)]).await;
        addresses.push(url(&attachments(&sent.json())[0]));
    }
    ada.deletes("general", "deleted").await;
    holds(&workspace, 2).await;
    ada.delete("/api/channels/other").await;
    holds(&workspace, 1).await;
    for n in 0..99 {
        ada.posts("general", &format!("{n}")).await;
    }
    assert_eq!(ada.get(&addresses[1]).await.status, 200, "the hundredth");
    ada.posts("general", "one more").await;
    holds(&workspace, 0).await;
    for address in &addresses {
        ada.get(address).await.refused(404, "no-such-attachment");
    }
}

#[rocket::async_test]
async fn a_refused_message_leaves_no_file() {
    let workspace = Workspace::start().await;
    let (ada, bob) = (workspace.signed_in_as("Ada").await, workspace.signed_in_as("Bob").await);
    ada.puts("general", "m1", "Ada's").await;
    let files: &[(&str, &[u8])] = &[("cat.gif", GIF)];
    let stolen = bob.sends_as(Method::Put, &format!("{GENERAL}/m1"), "mine", files).await;
    stolen.refused(403, "not-yours");
    let long = ada.sends("general", &"x".repeat(4_001), files).await;
    long.refused(422, "invalid-text");
    ada.sends("nowhere", "", files).await.refused(404, "no-such-channel");
    workspace.visitor().sends("general", "", files).await.refused(401, "sign-in-required");
    holds(&workspace, 0).await;
}

#[rocket::async_test]
async fn a_restart_finds_the_files_and_sweeps_what_has_no_message() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    let sent = ada.sends("general", "", &[("cat.gif", GIF)]).await.json();
    let edited = ada.sends_as(Method::Put, &format!("{GENERAL}/m2"), "", &[("a", b"a")]).await;
    assert_eq!(edited.status, 201);
    let edited = ada.sends_as(Method::Put, &format!("{GENERAL}/m2"), "", &[("b", b"b")]).await;
    fs::write(workspace.data().join("files/left-behind"), "by a crash").expect("writable");
    let token = ada.token.clone().expect("a token");
    drop(ada);

    let workspace = workspace.restarted().await;

    let ada = workspace.holder_of(&token);
    assert_eq!(stored(&workspace), 2);
    assert_eq!(ada.get(&url(&attachments(&sent)[0])).await.bytes, GIF);
    assert_eq!(ada.get(&url(&attachments(&edited.json())[0])).await.text, "b");
}

#[rocket::async_test]
async fn a_thousand_files_a_message_can_be_allowed() {
    let workspace = Workspace::with(|settings| settings.merge(("max_message_files", 1_000))).await;
    let ada = workspace.signed_in_as("Ada").await;
    assert_eq!(ada.sends("general", "", &[("a", b"a")]).await.status, 201);
}

#[rocket::async_test]
async fn what_is_too_large_or_too_much_is_refused() {
    let workspace = Workspace::with(|settings| {
        let small = settings.merge(("rate_limits", false)).merge(("max_file_size", "1 KiB"));
        small.merge(("max_message_files", 2)).merge(("max_total_size", "5000 B"))
    })
    .await;
    let (ada, bob) = (workspace.signed_in_as("Ada").await, workspace.signed_in_as("Bob").await);
    let kilobyte: &[u8] = &[b'x'; 1_024];
    let over: &[u8] = &[b'x'; 1_025];
    assert_eq!(
        ada.sends("general", "", &[("a", over)]).await.refused(413, "too-large")["field"],
        "file"
    );
    ada.sends("general", "", &[("a", b"a"), ("b", b"b"), ("c", b"c")])
        .await
        .refused(413, "too-large");
    let huge = "x".repeat(1_000_000).into_bytes();
    ada.sends("general", "", &[("a", &huge[..])]).await.refused(413, "too-large");
    assert_eq!(ada.sends("general", "", &[("a", kilobyte), ("b", kilobyte)]).await.status, 201);
    let full = ada.sends("general", "", &[("c", kilobyte)]).await;
    full.refused(413, "too-large");
    holds(&workspace, 2).await;
    let half = ada.sends("general", "", &[("c", &kilobyte[..452])]).await;
    assert_eq!(half.status, 201, "it fits into half of what there is");
    assert_eq!(bob.sends("general", "", &[("d", kilobyte)]).await.status, 201);
    bob.sends("general", "", &[("e", &kilobyte[..227])]).await.refused(413, "too-large");
    let rest = bob.sends("general", "", &[("e", &kilobyte[..226])]).await;
    assert_eq!(rest.status, 201, "it fits into half of what the others leave");
}

#[rocket::async_test]
async fn a_form_that_cannot_be_read_is_refused() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    let part = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n";
    let other = part.replace("\"file\"", "\"picture\"");
    let endless = format!("--b\r\nX-Long: {}", "x".repeat(400_000));
    for (kind, body, status) in [
        ("multipart/form-data", "--b--\r\n", 400),
        ("multipart/form-data; boundary=b", part, 400),
        ("multipart/form-data; boundary=b", &format!("{part}half of it"), 400),
        ("multipart/form-data; boundary=b", &format!("{other}bytes\r\n--b--\r\n"), 400),
        ("multipart/form-data; boundary=b", &endless, 400),
        ("multipart/form-data; boundary=b", "nothing of that", 400),
        ("multipart/mixed; boundary=b", "--b--\r\n", 415),
    ] {
        let answer = ada.asks(Method::Post, GENERAL, &[("Content-Type", kind)], body).await;
        let slug = if status == 400 { "malformed-request" } else { "unsupported-media-type" };
        answer.refused(status, slug);
    }
    holds(&workspace, 0).await;
    let many =
        "--b\r\nContent-Disposition: form-data; name=\"z\"\r\n\r\n\r\n".repeat(100) + "--b--\r\n";
    let kind = [("Content-Type", "multipart/form-data; boundary=b")];
    ada.asks(Method::Post, GENERAL, &kind, many).await.refused(413, "too-large");
    let half = "x".repeat(40_000);
    let text = format!("--b\r\nContent-Disposition: form-data; name=\"text\"\r\n\r\n{half}\r\n");
    let twice = text.repeat(2) + "--b--\r\n";
    ada.asks(Method::Post, GENERAL, &kind, twice).await.refused(413, "too-large");
    let whole = part.replace("--b", "--a:b c=1") + "x\r\n--a:b c=1--\r\n";
    let kind = [("Content-Type", "multipart/form-data; boundary=\"a:b c=1\"")];
    assert_eq!(
        ada.asks(Method::Post, GENERAL, &kind, whole).await.status,
        201,
        "as RFC 2046 has it"
    );
}

#[rocket::async_test]
async fn messages_with_files_count_as_posts_before_they_are_received() {
    let workspace = Workspace::with(|settings| settings).await;
    let ada = workspace.signed_in_as("Ada").await;
    let files = [("a", &b"a"[..])];
    let upload = || ada.sends("general", "", &files).boxed_local();
    let refused = ada.refused_behind(100, GENERAL, json!({ "text": "spam" }), upload).await;
    assert!(refused.header("Retry-After").is_some());
}

#[rocket::async_test]
async fn only_what_is_safe_is_shown_in_place() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    let polyglot = [GIF, b"<script>alert(1)</script>"].concat();
    for (name, bytes, media_type, how) in [
        ("cat.gif", GIF, "image/gif", "inline"),
        ("cat.gif", &polyglot[..], "application/octet-stream", "attachment"),
        ("page.gif", b"<!doctype html><script>alert(1)</script>", "text/html", "attachment"),
        (
            "image.png",
            b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
            "image/svg+xml",
            "attachment",
        ),
        ("x.png", b"%PDF-1.7 <script>", "application/pdf", "attachment"),
        ("note.html", b"hello", "text/plain", "attachment"),
    ] {
        let message = ada.sends("general", "", &[(name, bytes)]).await.json();
        let attachment = &attachments(&message)[0];
        assert_eq!(attachment["media_type"], media_type, "{name}");
        let given = ada.get(&url(attachment)).await;
        assert_eq!(given.header("Content-Type"), Some(media_type));
        let disposition = given.header("Content-Disposition").expect("how to show it");
        assert!(disposition.starts_with(how), "{name}: {disposition}");
        let policy = given.header("Content-Security-Policy").expect("a policy");
        assert!(policy.contains("sandbox") && !policy.contains("script-src"), "{name}: {policy}");
        assert_eq!(given.header("Cache-Control"), Some("private, no-cache"), "{name}");
    }
}

#[rocket::async_test]
async fn any_name_is_safe() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    let long = "報".repeat(300);
    for (given, kept) in [
        ("../../x", "x"),
        ("..", "file"),
        ("C:\\boot.ini", "boot.ini"),
        ("naïve “quotes”; x=1.txt", "naïve “quotes”; x=1.txt"),
        ("a%22b.txt", "a\"b.txt"),
        (&long, &"報".repeat(85)),
    ] {
        let message = ada.sends("general", "", &[(given, b"x")]).await.json();
        let attachment = &attachments(&message)[0];
        assert_eq!(attachment["name"], kept, "{given}");
        let given = ada.get(&url(attachment)).await;
        assert_eq!((given.status, &*given.text), (200, "x"));
        let disposition = given.header("Content-Disposition").expect("a name");
        assert!(
            disposition.is_ascii() && disposition.contains("filename*=UTF-8''"),
            "{disposition}"
        );
    }
    let known = ["files", "houston.db", "houston.db-shm", "houston.db-wal", "houston.lock"];
    for entry in fs::read_dir(workspace.data()).expect("a directory") {
        let name = entry.expect("an entry").file_name().into_string().expect("text");
        assert!(known.contains(&&*name) || name.starts_with("operator-"), "{name} is a file's");
    }
}

/// A PNG of this size, with this text as its comment.
fn png(side: u32, comment: &str) -> Vec<u8> {
    let chunk = |kind: &str, content: &[u8]| {
        let length = u32::try_from(content.len()).expect("short").to_be_bytes();
        [&length[..], kind.as_bytes(), content, b"CRC!"].concat()
    };
    let side = side.to_be_bytes();
    let header = [&side[..], &side, b"\x08\x02\0\0\0"].concat();
    let text = format!("Comment\0{comment}");
    let chunks = [chunk("IHDR", &header), chunk("tEXt", text.as_bytes()), chunk("IEND", b"")];
    [&b"\x89PNG\r\n\x1a\n"[..], &chunks.concat()].concat()
}

/// A JPEG of 3 by 2 pixels, as stored, with these segments of application data in front.
fn jpeg(segments: &[&[u8]]) -> Vec<u8> {
    let mut file = b"\xFF\xD8".to_vec();
    for segment in segments {
        let length = u16::try_from(segment.len() + 2).expect("short").to_be_bytes();
        file.extend([b"\xFF\xE1", &length[..], segment].concat());
    }
    file.extend(b"\xFF\xC0\0\x0B\x08\0\x02\0\x03\x01\x01\x11\0\xFF\xD9");
    file
}

/// Exif data of a photograph on its side.
const EXIF: &[u8] = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";

/// A WebP of 3 by 2 pixels, as far as anybody looks, with Exif data behind its head.
fn webp() -> Vec<u8> {
    let exif = [&b"EXIF"[..], &[u8::try_from(EXIF.len()).expect("short"), 0, 0, 0], EXIF].concat();
    let head = b"WEBPVP8X\x0A\0\0\0\x08\0\0\0\x02\0\0\x01\0\0";
    let length = [u8::try_from(head.len() + exif.len()).expect("short"), 0, 0, 0];
    [&b"RIFF"[..], &length, head, &exif].concat()
}

/// An AVIF of 3 by 2 pixels, as stored, that is to be turned by so many quarters, with Exif data and
/// more in front.
fn avif(quarters: u8) -> Vec<u8> {
    let boxed = |kind: &str, content: &[u8]| {
        let length = u32::try_from(8 + content.len()).expect("short").to_be_bytes();
        [&length[..], kind.as_bytes(), content].concat()
    };
    let size = boxed("ispe", b"\0\0\0\0\0\0\0\x03\0\0\0\x02");
    let properties = boxed("ipco", &[size, boxed("irot", &[quarters])].concat());
    let table = boxed("ipma", b"\0\0\0\0\0\0\0\x01\0\x01\x02\x01\x82");
    let described =
        [boxed("pitm", b"\0\0\0\0\0\x01"), boxed("iprp", &[properties, table].concat())];
    let meta = boxed("meta", &[&b"\0\0\0\0"[..], &described.concat()].concat());
    let data = boxed("mdat", &[EXIF, &vec![b' '; 300_000][..]].concat());
    [boxed("ftyp", b"avif\0\0\0\0mif1avif"), data, meta].concat()
}

#[rocket::async_test]
async fn a_picture_is_shown_whatever_is_written_in_it() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    let xmp = [&b"http://ns.adobe.com/xap/1.0/\0<html>"[..], &vec![b' '; 65_000][..]].concat();
    let photo = jpeg(&[&xmp[..]; 7]);
    assert!(photo.len() > 455_000);
    let turned = jpeg(&[&xmp, &xmp, &xmp, &xmp, &xmp, &xmp, &xmp, EXIF]);
    let comment = [&GIF[..GIF.len() - 1], b"!\xFE\x05<html\0;"].concat();
    for (what, bytes, media_type, size) in [
        ("XMP in front", &photo, "image/jpeg", (3, 2)),
        ("Exif behind it", &turned, "image/jpeg", (2, 3)),
        ("a comment", &png(3, "<html"), "image/png", (3, 3)),
        ("a long comment", &png(3, &"<svg>".repeat(90_000)), "image/png", (3, 3)),
        ("a comment", &comment, "image/gif", (3, 2)),
        ("Exif that does not count", &webp(), "image/webp", (3, 2)),
        ("Exif that does not count", &avif(0), "image/avif", (3, 2)),
        ("turned by itself", &avif(1), "image/avif", (2, 3)),
        ("turned by itself", &avif(3), "image/avif", (2, 3)),
    ] {
        let message = ada.sends("general", "", &[("picture", bytes)]).await.json();
        let attachment = &attachments(&message)[0];
        assert_eq!(attachment["media_type"], media_type, "{what}");
        let told = (&attachment["width"], &attachment["height"]);
        assert_eq!(told, (&json!(size.0), &json!(size.1)), "{media_type}: {what}");
        let given = ada.get(&url(attachment)).await;
        assert_eq!(given.bytes, *bytes);
        let disposition = given.header("Content-Disposition").expect("how to show it");
        assert!(disposition.starts_with("inline"), "{media_type}: {what}");
    }
}

#[rocket::async_test]
async fn an_absurdly_large_picture_is_a_card() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    let gif = [b"GIF89a\xFF\xFF\xFF\xFF", &GIF[10..]].concat();
    let (width, height) = (40_000_u32.to_le_bytes(), (-40_000_i32).to_le_bytes());
    let bmp = [b"BM\x36\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0", &width[..], &height, &[0; 28]];
    for (bytes, media_type) in [
        (png(65_535, ""), "image/png"),
        (png(16_384, ""), "image/png"),
        (png(u32::MAX, ""), "image/png"),
        (gif, "image/gif"),
        (bmp.concat(), "image/bmp"),
    ] {
        let message = ada.sends("general", "", &[("دفتر.png", &bytes)]).await.json();
        let attachment = &attachments(&message)[0];
        assert_eq!(attachment["media_type"], media_type);
        assert!(attachment.get("width").is_none() && attachment.get("height").is_none());
        let given = ada.get(&url(attachment)).await;
        assert_eq!(given.bytes, bytes, "it can be downloaded");
        let disposition = given.header("Content-Disposition").expect("how to show it");
        assert!(disposition.starts_with("attachment"), "{disposition}");
    }
    let page = ada.page("/channels/general").await;
    assert!(page.text.contains("file--card") && !page.text.contains("width=\"65535\""));
    assert!(page.text.contains(">دفتر.png</span>"));
}

/// The name in a `Content-Disposition`, as a client that knows `filename*` (RFC 6266) reads it.
fn saved_as(given: &Answer) -> String {
    let disposition = given.header("Content-Disposition").expect("a name");
    let (_, encoded) = disposition.split_once("filename*=UTF-8''").expect("an encoded name");
    percent_decode_str(encoded).decode_utf8().expect("UTF-8").into_owned()
}

#[rocket::async_test]
async fn a_name_comes_back_as_it_was() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    for name in [
        "می\u{200C}خواهم.pdf",
        "👩\u{200D}🚀.png",
        "🏴\u{E0067}\u{E0062}\u{E0073}\u{E0063}\u{E0074}\u{E007F}.svg",
        "❤\u{FE0F} 1\u{FE0F}\u{20E3}.txt",
        "അവന\u{D4D}\u{200D}.odt",
        "דוח 2026 (final).docx",
        "U\u{308}bersicht.pdf",
        "報告、最終版.xlsx",
        "a;b='c'*(d)%41.txt",
    ] {
        let message = ada.sends("general", "", &[(name, b"x")]).await.json();
        let attachment = &attachments(&message)[0];
        assert_eq!(attachment["name"], name);
        let given = ada.get(&url(attachment)).await;
        assert_eq!((given.status, &*saved_as(&given)), (200, name));
    }
    for (sent, name) in [
        ("photo\u{202E}gpj.exe", "photogpj.exe"),
        ("\u{200C}می\u{200C}.pdf", "می.pdf"),
        ("a\u{2066}b\u{2069}\u{200F}.txt", "ab.txt"),
    ] {
        let message = ada.sends("general", "", &[(sent, b"x")]).await.json();
        let attachment = &attachments(&message)[0];
        assert_eq!(attachment["name"], name);
        assert_eq!(saved_as(&ada.get(&url(attachment)).await), name);
    }
}

#[rocket::async_test]
async fn a_name_is_read_however_clients_write_it() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    let words = "filename=\"=?utf-8?B?5oql5ZGKLnR4dA==?=\"";
    let extended = format!("{words}; filename*=utf-8''%E6%8A%A5%E5%91%8A.txt");
    for (parameters, name) in [
        (&*extended, "报告.txt"),
        (words, "报告.txt"),
        ("filename*=UTF-8'en'%D9%85%DB%8C%E2%80%8C%D8%AE.pdf", "می\u{200C}خ.pdf"),
        ("filename*=utf-8''%F0%9F%91%A9%E2%80%8D%F0%9F%9A%80.png; filename=x", "👩\u{200D}🚀.png"),
        ("filename=\"Plan.txt\"; filename*=UTF-8''%D0%9F%D0%BB%D0%B0%D0%BD.txt", "План.txt"),
        ("filename=plain.txt; filename*=utf-8''%E6%8A.txt", "plain.txt"),
        ("filename=plain.txt; filename*=big5''%B3%F8.txt", "plain.txt"),
        ("filename*=utf-8''..%2F..%2Fphoto%E2%80%AEgpj.exe", "photogpj.exe"),
        ("filename*=iso-8859-1''Gr%FC%DFe.txt", "Grüße.txt"),
        ("filename=\"报告.txt\"", "报告.txt"),
        ("filename=\"a %22b%22.txt\"", "a \"b\".txt"),
        ("filename=\"a%0D%0Ab.txt\"", "ab.txt"),
        ("filename=\"a \\\"b\\\".txt\"", "a \"b\".txt"),
        ("filename=\"C:\\Users\\ada\\cat.png\"", "cat.png"),
        ("filename=cat.png", "cat.png"),
        ("filename=\"a; name=text.txt\"", "a; name=text.txt"),
    ] {
        let head = format!("Content-Disposition: form-data; name=\"file\"; {parameters}");
        let form = format!("--b\r\n{head}\r\n\r\nx\r\n--b--\r\n");
        let kind = [("Content-Type", "multipart/form-data; boundary=b")];
        let sent = ada.asks(Method::Post, GENERAL, &kind, form).await;
        assert_eq!(sent.status, 201, "{parameters}: {sent:?}");
        assert_eq!(attachments(&sent.json())[0]["name"], name, "{parameters}");
    }
}

async fn asks_for(ada: &Person, path: &str, headers: &[(&str, &str)]) -> Answer {
    ada.asks(Method::Get, path, headers, "").await
}

#[rocket::async_test]
async fn parts_of_a_file_can_be_asked_for() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    let message = ada.sends("general", "", &[("digits", b"0123456789")]).await.json();
    let path = url(&attachments(&message)[0]);
    let etag = ada.get(&path).await.header("ETag").expect("an ETag").to_owned();
    assert_eq!(ada.get(&path).await.header("Accept-Ranges"), Some("bytes"));

    for (range, part, which) in [
        ("bytes=0-3", "0123", "bytes 0-3/10"),
        ("bytes=7-", "789", "bytes 7-9/10"),
        ("bytes=-2", "89", "bytes 8-9/10"),
        ("bytes=5-500", "56789", "bytes 5-9/10"),
    ] {
        let answer = asks_for(&ada, &path, &[("Range", range)]).await;
        assert_eq!((answer.status, &*answer.text), (206, part), "{range}");
        assert_eq!(answer.header("Content-Range"), Some(which));
        assert_eq!(answer.header("Content-Length"), Some(&*part.len().to_string()));
    }
    for range in ["bytes=3-1", "lines=1-2", "bytes=a-b", "bytes=0-1,4-5"] {
        let answer = asks_for(&ada, &path, &[("Range", range)]).await;
        assert_eq!((answer.status, &*answer.text), (200, "0123456789"), "{range}");
    }
    let beyond = asks_for(&ada, &path, &[("Range", "bytes=10-")]).await;
    beyond.refused(416, "range-not-satisfiable");
    assert_eq!(beyond.header("Content-Range"), Some("bytes */10"));

    let same = asks_for(&ada, &path, &[("Range", "bytes=0-0"), ("If-Range", &etag)]).await;
    assert_eq!(same.status, 206);
    let other = asks_for(&ada, &path, &[("Range", "bytes=0-0"), ("If-Range", "\"other\"")]).await;
    assert_eq!(other.status, 200);
    let known = asks_for(&ada, &path, &[("If-None-Match", &etag)]).await;
    assert_eq!((known.status, &*known.text), (304, ""));
    let head = ada.asks(Method::Head, &path, &[], "").await;
    assert_eq!((head.status, head.header("Content-Length")), (200, Some("10")));
}

#[rocket::async_test]
async fn a_file_is_for_those_who_can_read_its_message() {
    let workspace = Workspace::start().await;
    let (ada, bob) = (workspace.signed_in_as("Ada").await, workspace.signed_in_as("Bob").await);
    let eve = workspace.signed_in_as("Eve").await;
    let message = ada.sends("@Bob", "for you", &[("secret.txt", b"secret")]).await.json();
    let path = url(&attachments(&message)[0]);

    assert_eq!(bob.get(&path).await.text, "secret");
    let refused = eve.get(&path).await;
    refused.refused(404, "no-such-attachment");
    assert_eq!(refused.text, eve.get("/api/attachments/0/secret.txt").await.text);
    workspace.visitor().get(&path).await.refused(401, "sign-in-required");
}
