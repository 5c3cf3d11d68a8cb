//! A file that is being written. Dropped before it is kept, it leaves nothing behind.

use std::fs as blocking;
use std::io::{self, BufReader, ErrorKind};
use std::path::{Path, PathBuf};

use tokio::fs::{File, OpenOptions};
use tokio::io::{AsyncWriteExt, BufWriter};

use super::{FileName, off_the_reactor};
use crate::content::{BadPicture, Pixels, measure};

/// Pieces as they come from the wire are gathered to this before the disk is asked.
const BUFFER_BYTES: usize = 256 * 1024;

/// The file.
pub(crate) struct Draft {
    file: BufWriter<File>,
    path: Unfinished,
    place: PathBuf,
    name: FileName,
}

impl Draft {
    pub(super) async fn create(path: PathBuf, place: PathBuf, name: FileName) -> io::Result<Self> {
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&path)
            .await?;
        Ok(Self {
            file: BufWriter::with_capacity(BUFFER_BYTES, file),
            path: Unfinished(path),
            place,
            name,
        })
    }

    /// Adds a piece.
    ///
    /// # Errors
    /// When the disk does not take it.
    pub(crate) async fn write(&mut self, piece: &[u8]) -> io::Result<()> {
        self.file.write_all(piece).await
    }

    /// Reads the size of the picture that was written, from its headers.
    ///
    /// # Errors
    /// When the disk does not answer. What is wrong with the picture is the inner result.
    pub(crate) async fn measure(&mut self) -> io::Result<Result<Pixels, BadPicture>> {
        self.file.flush().await?;
        let path = self.path.0.clone();
        off_the_reactor(move || {
            let picture = BufReader::new(blocking::File::open(path)?);
            // A picture that the reader trips over is none that anybody should be sent.
            Ok(
                std::panic::catch_unwind(|| measure(picture))
                    .unwrap_or(Err(BadPicture::Unreadable)),
            )
        })
        .await
    }

    /// Puts the file in its place, where a power cut does not take it away again.
    ///
    /// # Errors
    /// When the disk does not.
    pub(crate) async fn keep(mut self) -> io::Result<FileName> {
        self.file.flush().await?;
        self.file.get_ref().sync_all().await?;
        let (from, to) = (self.path.0.clone(), self.place);
        off_the_reactor(move || place(&from, &to)).await?;
        self.path.0 = PathBuf::new();
        Ok(self.name)
    }
}

/// Moves a file that is synced; a name is on the disk once its folder is.
fn place(from: &Path, to: &Path) -> io::Result<()> {
    let folder = to.parent().ok_or(ErrorKind::InvalidInput)?;
    let root = folder.parent().ok_or(ErrorKind::InvalidInput)?;
    match blocking::create_dir(folder) {
        Ok(()) => blocking::File::open(root)?.sync_all()?,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error),
    }
    blocking::rename(from, to)?;
    blocking::File::open(folder)?.sync_all()
}

/// The path of a file that is not kept; empty once it is.
struct Unfinished(PathBuf);

impl Drop for Unfinished {
    fn drop(&mut self) {
        if !self.0.as_os_str().is_empty() {
            // One system call; what it leaves behind is swept.
            let _ = blocking::remove_file(&self.0);
        }
    }
}
