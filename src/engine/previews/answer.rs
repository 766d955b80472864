//! What other servers answer: a page or a picture, as far as it is fit for a preview.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::{StreamExt, TryStreamExt};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::spawn_blocking;
use url::Url;

use super::outcome::Outcome;
use super::page::Page;
use crate::domain::media_type::Sniffer;
use crate::domain::preview::line;
use crate::domain::text::links::address_of;
use crate::engine::fetch::{FetchRequest, Fetched};

/// Time that a page may take, its redirects and its body included, and a picture as well.
const TIMEOUT: Duration = Duration::from_secs(2);
/// Largest part of a page that is read, in bytes.
const MAX_PAGE_BYTES: usize = 512 * 1024;
/// Largest picture, in bytes.
const MAX_PICTURE_BYTES: usize = 2 * 1024 * 1024;
/// Longest title, in characters.
const MAX_TITLE: usize = 200;
/// Longest description, in characters.
const MAX_DESCRIPTION: usize = 400;
/// Longest name of a site, in characters.
const MAX_SITE: usize = 60;

/// A page that has something to show.
pub(super) struct FoundPage {
    pub(super) site: Box<str>,
    pub(super) title: Box<str>,
    pub(super) description: Box<str>,
    pub(super) picture: Option<Url>,
}

/// A picture, with the room in memory that it takes.
pub(super) struct FoundPicture {
    pub(super) bytes: Bytes,
    _room: Room,
}

/// Room for a picture in memory: a part of what there is for all, and of the share of the user for whom
/// it is fetched. In KiB.
pub(super) struct Room {
    of_all: OwnedSemaphorePermit,
    of_user: OwnedSemaphorePermit,
}

impl Room {
    /// Takes room for the largest picture; `None` where there is too little.
    pub(super) fn take(of_all: &Arc<Semaphore>, of_user: &Arc<Semaphore>) -> Option<Self> {
        let kib = u32::try_from(MAX_PICTURE_BYTES / 1024).unwrap_or(u32::MAX);
        let of_user = of_user.clone().try_acquire_many_owned(kib).ok()?;
        let of_all = of_all.clone().try_acquire_many_owned(kib).ok()?;
        Some(Self { of_all, of_user })
    }

    /// Gives back all that so many bytes do not need.
    fn shrink_to(&mut self, bytes: usize) {
        for part in [&mut self.of_all, &mut self.of_user] {
            drop(part.split(part.num_permits().saturating_sub(bytes.div_ceil(1024))));
        }
    }
}

/// The request for a page or a picture.
pub(super) fn request(address: &Url, accept: &str) -> FetchRequest {
    // Nothing is unpacked here, whatever it would become.
    let headers = vec![("accept", accept.to_owned()), ("accept-encoding", "identity".to_owned())];
    FetchRequest { url: address.to_string(), json: None, headers, timeout: TIMEOUT }
}

/// The media type of an answer, and its charset.
fn kind_of(answer: &Fetched) -> (String, Option<String>) {
    let mut parts = answer.media_type.as_deref().unwrap_or_default().split(';').map(str::trim);
    let media_type = parts.next().unwrap_or_default().to_ascii_lowercase();
    let charset = parts.find_map(|part| {
        let (name, value) = part.split_once('=')?;
        let is_charset = name.trim().eq_ignore_ascii_case("charset");
        is_charset.then(|| value.trim().trim_matches(['"', '\'']).to_owned())
    });
    (media_type, charset)
}

/// Refuses what no page or picture can be read of.
fn check(answer: &Fetched, is_fit: bool) -> Result<(), Outcome> {
    let encoding = answer.encoding.as_deref().map(str::trim).unwrap_or_default();
    if !(200..300).contains(&answer.status) {
        Err(Outcome::BadStatus)
    } else if !is_fit {
        Err(Outcome::WrongType)
    } else if !encoding.is_empty() && !encoding.eq_ignore_ascii_case("identity") {
        Err(Outcome::Encoded)
    } else {
        Ok(())
    }
}

/// The page in an answer. One is read at a time.
pub(super) async fn page_of(answer: Fetched, reading: &Semaphore) -> Result<FoundPage, Outcome> {
    let (media_type, charset) = kind_of(&answer);
    check(&answer, matches!(&*media_type, "text/html" | "application/xhtml+xml"))?;
    let Fetched { url, mut body, .. } = answer;
    let mut bytes = BytesMut::new();
    while bytes.len() < MAX_PAGE_BYTES {
        let Some(chunk) = body.try_next().await? else { break };
        bytes.extend_from_slice(&chunk[..chunk.len().min(MAX_PAGE_BYTES - bytes.len())]);
    }
    drop(body);
    // It is never closed.
    let turn = reading.acquire().await;
    let page = spawn_blocking(move || Page::read(&bytes, charset.as_deref())).await;
    drop(turn);
    let page = page.map_err(|_| Outcome::NothingToShow)?;
    let title = line(&page.title, MAX_TITLE);
    if title.is_empty() || page.wants_none {
        return Err(Outcome::NothingToShow);
    }
    let host = url.host_str().unwrap_or_default();
    let host = line(host.strip_prefix("www.").unwrap_or(host), MAX_SITE);
    // A page can say that it is somebody else's: its host stands beside.
    let site = match line(&page.site, MAX_SITE) {
        site if site.is_empty() || site.eq_ignore_ascii_case(&host) => host,
        site => format!("{host} · {site}").into(),
    };
    let picture = Some(&page.picture).filter(|picture| !picture.is_empty());
    let picture = picture.and_then(|picture| address_of(url.join(picture).ok()?.as_str()));
    Ok(FoundPage {
        site,
        title,
        description: line(&page.description, MAX_DESCRIPTION),
        picture: picture.filter(|it| matches!(it.scheme(), "http" | "https")),
    })
}

/// The picture in an answer, which gives back the room that it does not need.
pub(super) async fn picture_of(answer: Fetched, mut room: Room) -> Result<FoundPicture, Outcome> {
    let (media_type, _) = kind_of(&answer);
    check(&answer, media_type.starts_with("image/"))?;
    let mut bytes = BytesMut::new();
    let mut sniffer = Sniffer::new();
    let mut body = answer.body;
    while let Some(chunk) = body.next().await {
        let chunk = chunk?;
        if bytes.len() + chunk.len() > MAX_PICTURE_BYTES {
            return Err(Outcome::TooLarge);
        }
        sniffer.look(&chunk);
        bytes.extend_from_slice(&chunk);
    }
    if sniffer.finish().dimensions.is_none() {
        return Err(Outcome::WrongType);
    }
    room.shrink_to(bytes.len());
    // Its own size, not what it grew to.
    let bytes = Bytes::copy_from_slice(&bytes);
    Ok(FoundPicture { bytes, _room: room })
}
