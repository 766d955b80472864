//! Attachments: the files of messages, without their bytes.

mod file_name;

use serde::{Deserialize, Serialize};

pub use self::file_name::FileName;
use crate::domain::ids::AttachmentId;
use crate::domain::media_type::{Dimensions, MediaType};

/// A file of a message: everything that the log keeps of it, which is all but its bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// The id under which the bytes are stored.
    pub id: AttachmentId,
    /// The name that its sender gave it, cleaned.
    pub name: FileName,
    /// The media type, worked out from the bytes.
    pub media_type: MediaType,
    /// The size, in bytes.
    pub size: u64,
    /// The SHA-256 of its bytes, in hexadecimal.
    pub sha256: String,
    /// The width and height of an image that is shown in place; `None` for anything else.
    #[serde(flatten)]
    pub dimensions: Option<Dimensions>,
}

impl Attachment {
    /// Tells whether browsers show it safely within a page; else it is downloaded. An image without
    /// known dimensions is none, or too large to be shown in place.
    #[must_use]
    pub fn is_inline(&self) -> bool {
        self.media_type.is_inline() && (self.dimensions.is_some() || !self.media_type.is_image())
    }

    /// Tells whether both have the same bytes and the same name.
    #[must_use]
    pub fn same_as(&self, other: &Self) -> bool {
        self.sha256 == other.sha256 && self.name == other.name
    }
}
