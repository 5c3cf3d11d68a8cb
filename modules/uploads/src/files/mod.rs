//! The files below `UPLOAD_ROOT`. Names are chance; what they are and whose is in Postgres.
//!
//! `incoming/` holds files that are being written; a complete one is synced and moved to a folder named
//! after its first two digits. The invariant: a file outside `incoming/` is whole and on the disk.

mod draft;

use std::fs as blocking;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use halobestie_core::entropy::Entropy;
use tokio::fs;
use tokio::task::spawn_blocking;
use uuid::Uuid;

pub(crate) use self::draft::Draft;

/// Files that are being written.
const INCOMING: &str = "incoming";
/// Holds the mark of the database that knows the files.
const MARK: &str = "database";
/// How many folders there are.
pub(crate) const FOLDERS: u16 = 256;

/// The name of a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct FileName(String);

impl FileName {
    /// A name that nobody can guess.
    pub(crate) fn fresh(entropy: &Entropy) -> Self {
        let bytes: [u8; 16] = entropy.bytes();
        Self(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// Reads a name of ours.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        (text.len() == 32 && text.bytes().all(is_digit)).then(|| Self(text.to_owned()))
    }

    /// As it is stored.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    fn folder(&self) -> &str {
        &self.0[..2]
    }
}

/// The folder.
#[derive(Clone, Debug)]
pub(crate) struct Files {
    root: PathBuf,
}

impl Files {
    /// Works in this folder.
    pub(crate) fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Whether the folder is there.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) async fn look(&self) -> io::Result<()> {
        let found = fs::metadata(&self.root).await?;
        if !found.is_dir() {
            return Err(ErrorKind::NotADirectory.into());
        }
        if found.permissions().readonly() {
            return Err(ErrorKind::PermissionDenied.into());
        }
        Ok(())
    }

    /// Begins a file. The root itself is not made: one that is missing is a disk that is not mounted.
    ///
    /// # Errors
    /// When the disk does not take it.
    pub(crate) async fn begin(&self, name: FileName) -> io::Result<Draft> {
        let incoming = self.root.join(INCOMING);
        match fs::create_dir(&incoming).await {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
            _ => Draft::create(incoming.join(name.as_str()), self.path(&name), name).await,
        }
    }

    /// Opens a file; its size.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) async fn open(&self, name: &FileName) -> io::Result<(fs::File, u64)> {
        let file = fs::File::open(self.path(name)).await?;
        let size = file.metadata().await?.len();
        Ok((file, size))
    }

    /// Deletes a file; one that is gone already is fine.
    ///
    /// # Errors
    /// When it cannot be deleted.
    pub(crate) async fn remove(&self, name: &FileName) -> io::Result<()> {
        match fs::remove_file(self.path(name)).await {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Deletes what was being written and is not any more.
    ///
    /// # Errors
    /// When the disk does not answer.
    pub(crate) async fn remove_abandoned(&self, older_than: Duration) -> io::Result<u64> {
        let incoming = self.root.join(INCOMING);
        let mut removed = 0;
        for name in self.old_ones(&incoming, older_than).await? {
            fs::remove_file(incoming.join(name.as_str())).await?;
            removed += 1;
        }
        Ok(removed)
    }

    /// The files of one folder that have been there for longer than this.
    ///
    /// # Errors
    /// When the disk does not answer.
    pub(crate) async fn old_in(
        &self,
        folder: u16,
        older_than: Duration,
    ) -> io::Result<Vec<FileName>> {
        let folder = self.root.join(format!("{folder:02x}"));
        self.old_ones(&folder, older_than).await
    }

    async fn old_ones(&self, folder: &Path, older_than: Duration) -> io::Result<Vec<FileName>> {
        let folder = folder.to_owned();
        off_the_reactor(move || old_ones(&folder, older_than)).await
    }

    /// Whether the files belong to the database of this mark. A root without any mark takes this one.
    ///
    /// # Errors
    /// When the disk does not answer.
    pub(crate) async fn bears(&self, mark: Uuid) -> io::Result<bool> {
        let path = self.root.join(MARK);
        let found = match fs::read_to_string(&path).await {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                fs::write(&path, mark.to_string()).await?;
                return Ok(true);
            }
            found => found?,
        };
        Ok(found.trim().parse() == Ok(mark))
    }

    fn path(&self, name: &FileName) -> PathBuf {
        self.root.join(name.folder()).join(name.as_str())
    }
}

/// The disk's clock, not ours, says how old a file is; a folder that is not there holds none.
fn old_ones(folder: &Path, older_than: Duration) -> io::Result<Vec<FileName>> {
    let entries = match blocking::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut old = Vec::new();
    for entry in entries {
        let entry = entry?;
        let Some(name) = entry.file_name().to_str().and_then(FileName::parse) else {
            continue;
        };
        let Ok(changed) = entry.metadata().and_then(|it| it.modified()) else {
            continue;
        };
        if age(changed) > older_than {
            old.push(name);
        }
    }
    Ok(old)
}

#[expect(
    clippy::disallowed_methods,
    reason = "files carry the machine's time, whatever a test's clock says"
)]
fn age(changed: SystemTime) -> Duration {
    SystemTime::now()
        .duration_since(changed)
        .unwrap_or_default()
}

/// Runs what waits for the disk where waiting is allowed.
pub(crate) async fn off_the_reactor<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    spawn_blocking(work).await.map_err(io::Error::other)?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_names_are_names() {
        let fresh = FileName::fresh(&Entropy::seeded(1));
        assert_eq!(FileName::parse(fresh.as_str()), Some(fresh));
        for other in [
            "",
            "database",
            "..",
            "../../../etc/passwd",
            &"A".repeat(32),
            &"0".repeat(33),
        ] {
            assert_eq!(FileName::parse(other), None, "{other}");
        }
    }
}
