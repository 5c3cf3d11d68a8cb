//! The folder where `dev` keeps everything, and the lock that makes it ours.

use std::fs::{self, File, OpenOptions};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use rustix::fs::{FlockOperation, flock};

use halobestie_core::entropy::Entropy;

/// The shortest limit of a socket's path on the systems we know (macOS: 104 with the closing zero).
const SOCKET_PATH_BYTES_MAX: usize = 103;
/// Room for the longest name of a socket in its folder, the slash included.
const SOCKET_NAME_BYTES_MAX: usize = 24;

/// The folder, locked for as long as this lives.
pub(super) struct Home {
    path: PathBuf,
    _lock: File,
}

impl Home {
    /// Makes the folder where it is missing, and locks it.
    pub(super) fn open(path: &Path) -> anyhow::Result<Self> {
        let cannot = || format!("cannot make {}", path.display());
        fs::create_dir_all(path).with_context(cannot)?;
        let path = path.canonicalize().with_context(cannot)?;
        let file = path.join("lock");
        let lock =
            File::create(&file).with_context(|| format!("cannot make {}", file.display()))?;
        if flock(&lock, FlockOperation::NonBlockingLockExclusive).is_err() {
            bail!(
                "another `dev` is running in {}: stop it, or choose another folder with --home",
                path.display()
            );
        }
        Ok(Self { path, _lock: lock })
    }

    /// The folder, absolute.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// A secret that is made at the first start and kept.
    pub(super) fn secret(&self, name: &str) -> anyhow::Result<String> {
        let path = self.path.join(name);
        if let Ok(secret) = fs::read_to_string(&path)
            && !secret.trim().is_empty()
        {
            return Ok(secret.trim().to_owned());
        }
        let bytes: [u8; 32] = Entropy::system().bytes();
        let secret: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        self.write_private(name, &secret)?;
        Ok(secret)
    }

    /// Writes a file that only its owner reads.
    pub(super) fn write_private(&self, name: &str, text: &str) -> anyhow::Result<()> {
        let path = self.path.join(name);
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&path);
        file.and_then(|mut file| writeln!(file, "{text}"))
            .with_context(|| format!("cannot write {}", path.display()))
    }

    /// A folder for sockets: `wanted`, or a short stand-in where its path is too long for one.
    pub(super) fn socket_folder(&self, wanted: PathBuf) -> anyhow::Result<PathBuf> {
        if wanted.as_os_str().len() + SOCKET_NAME_BYTES_MAX <= SOCKET_PATH_BYTES_MAX {
            make_private(&wanted)?;
            return Ok(wanted);
        }
        let mut hash = DefaultHasher::new();
        wanted.hash(&mut hash);
        let short = PathBuf::from(format!("/tmp/halobestie-{:016x}", hash.finish()));
        make_private(&short)?;
        Ok(short)
    }
}

/// Makes a folder that only its owner enters.
pub(super) fn make_private(path: &Path) -> anyhow::Result<()> {
    let cannot = || format!("cannot make {}", path.display());
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).with_context(cannot)?;
    }
    match fs::DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            return Err(error).with_context(cannot);
        }
        _ => {}
    }
    let found = fs::symlink_metadata(path)?;
    if !found.is_dir() || found.mode() & 0o077 != 0 {
        bail!(
            "{} must be a folder that nobody else can enter",
            path.display()
        );
    }
    Ok(())
}
