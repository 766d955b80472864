//! Addresses on this server.

use crate::domain::attachment::Attachment;
use crate::domain::ids::AttachmentId;
use crate::domain::url::segment;

/// The path where a file's bytes are served.
#[must_use]
pub fn attachment(attachment: &Attachment) -> String {
    format!("/api/attachments/{}/{}", attachment.id, segment(attachment.name.as_str()))
}

/// The path where the bytes of a preview's picture are served.
#[must_use]
pub fn picture(id: &AttachmentId) -> String {
    format!("/api/previews/{id}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::media_type::MediaType;

    #[test]
    fn an_attachment_s_address_takes_any_name() {
        let file = Attachment {
            id: AttachmentId::from("a1".to_owned()),
            name: "50% \"off\"?.png".into(),
            media_type: MediaType::from("image/png".to_owned()),
            size: 1,
            sha256: String::new(),
            dimensions: None,
        };
        assert_eq!(attachment(&file), "/api/attachments/a1/50%25%20%22off%22%3F.png");
    }
}
