//! A folder that stands in for a mail server: a file a letter, for a developer to open and a test to read.
//!
//! Letters hold what signs people in, so the configuration lets nobody else have one.

use std::io;
use std::path::{Path, PathBuf};

use lettre::Message;
use uuid::Uuid;

/// Where letters are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    /// Reads `file:///a/folder`.
    pub(crate) fn of_url(url: &str) -> Option<Self> {
        let path = Path::new(url.strip_prefix("file://")?);
        path.is_absolute().then(|| Self(path.to_owned()))
    }

    /// Keeps a letter as `<id>.eml`; ids are UUIDv7, so the last file is the latest letter. It appears
    /// when it is whole.
    pub(crate) async fn keep(&self, message: &Message, id: Uuid) -> io::Result<()> {
        tokio::fs::create_dir_all(&self.0).await?;
        let draft = self.0.join(format!(".{id}"));
        tokio::fs::write(&draft, message.formatted()).await?;
        tokio::fs::rename(draft, self.0.join(format!("{id}.eml"))).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_an_absolute_path() {
        let folder = Folder::of_url("file:///tmp/letters").unwrap();
        assert_eq!(folder.0, Path::new("/tmp/letters"));
        for wrong in ["file://letters", "file:", "/tmp/letters", "smtp://host"] {
            assert_eq!(Folder::of_url(wrong), None, "{wrong}");
        }
    }
}
