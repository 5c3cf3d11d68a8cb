//! What is not needed any more goes: uploads that were never sent, uploads whose message is gone, files
//! that no upload has. Rows are deleted before their files: a crash in between leaves a file for the
//! last of the three.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use halobestie_core::BoxError;
use halobestie_core::sweep::{Sweep, Swept};
use tracing::warn;
use uuid::Uuid;

use crate::error::UploadError;
use crate::files::{FOLDERS, FileName, Files};
use crate::state::State;
use crate::store;

/// Uploads that were never sent.
pub(crate) const UNSENT: &str = "upload-unsent";
/// Uploads that no message carries any more, because retention has deleted it, or never came to.
pub(crate) const UNCARRIED: &str = "upload-uncarried";
/// Files that no upload has.
pub(crate) const ORPHANS: &str = "upload-orphans";

const HOURLY: Duration = Duration::from_secs(60 * 60);
const DAILY: Duration = Duration::from_secs(24 * 60 * 60);
/// Nothing younger is touched: it may be on its way into a message, or into its row.
const GRACE: Duration = Duration::from_secs(24 * 60 * 60);
/// How many one step deletes, or asks about.
const BATCH: i64 = 500;

/// The folder bears another database's mark.
#[derive(Debug, thiserror::Error)]
#[error("UPLOAD_ROOT holds the files of another database; nothing is deleted")]
struct ForeignFolder;

/// The sweeps of this module.
pub(crate) fn sweeps(state: &Arc<State>) -> Vec<Sweep> {
    let (unsent, uncarried, orphans) = (state.clone(), state.clone(), state.clone());
    // Where each walk has come to; one that is interrupted begins anew.
    let (last_id, folder) = (Arc::new(Mutex::new(Uuid::nil())), Arc::new(Mutex::new(0)));
    vec![
        Sweep::new(UNSENT, HOURLY, move || forget_unsent(unsent.clone())).alone(),
        Sweep::new(UNCARRIED, DAILY, move || {
            forget_uncarried(uncarried.clone(), last_id.clone())
        })
        .alone(),
        Sweep::new(ORPHANS, DAILY, move || {
            remove_orphans(orphans.clone(), folder.clone())
        })
        .alone(),
    ]
}

async fn forget_unsent(state: Arc<State>) -> Result<Swept, BoxError> {
    let Ok(files) = state.files() else {
        return Ok(Swept::done(0));
    };
    let before = state.clock.now() - GRACE;
    let gone = store::delete_unsent(&state.db, before, BATCH).await?;
    remove(files, &gone).await;
    Ok(Swept {
        changed: count(&gone),
        more: count(&gone) >= BATCH.unsigned_abs(),
    })
}

async fn forget_uncarried(state: Arc<State>, last_id: Arc<Mutex<Uuid>>) -> Result<Swept, BoxError> {
    // Without whoever knows the messages, nobody can say that one is gone.
    let (Ok(files), Some(conversations)) = (state.files(), state.conversations()) else {
        return Ok(Swept::done(0));
    };
    let after = *last_id.lock().unwrap_or_else(PoisonError::into_inner);
    let before = state.clock.now() - GRACE;
    let sent = store::sent_before(&state.db, after, before, BATCH).await?;
    let carried = conversations.carried(&sent).await?;
    let uncarried: Vec<Uuid> = sent
        .iter()
        .copied()
        .filter(|id| !carried.contains(id))
        .collect();
    let gone = store::delete(&state.db, &uncarried).await?;
    remove(files, &gone).await;
    let is_full = count(&sent) >= BATCH.unsigned_abs();
    let next = sent.last().copied().filter(|_| is_full);
    *last_id.lock().unwrap_or_else(PoisonError::into_inner) = next.unwrap_or_default();
    Ok(Swept {
        changed: count(&gone),
        more: is_full,
    })
}

async fn remove_orphans(state: Arc<State>, folder: Arc<Mutex<u16>>) -> Result<Swept, BoxError> {
    let Ok(files) = state.files() else {
        return Ok(Swept::done(0));
    };
    let mark = store::mark(&state.db, state.entropy.uuid(&state.clock)).await?;
    if !files.bears(mark).await? {
        return Err(ForeignFolder.into());
    }
    let this = *folder.lock().unwrap_or_else(PoisonError::into_inner);
    let mut changed = match this {
        0 => files.remove_abandoned(GRACE).await?,
        _ => 0,
    };
    let old = files.old_in(this, GRACE).await?;
    for names in old.chunks(usize::try_from(BATCH).unwrap_or(1)) {
        let known = store::known(&state.db, names).await?;
        let orphans: Vec<FileName> = names
            .iter()
            .filter(|name| !known.contains(name))
            .cloned()
            .collect();
        remove(files, &orphans).await;
        changed += count(&orphans);
    }
    let next = (this + 1) % FOLDERS;
    *folder.lock().unwrap_or_else(PoisonError::into_inner) = next;
    Ok(Swept {
        changed,
        more: next != 0,
    })
}

/// Deletes files whose rows are gone. One that cannot be deleted now is an orphan later.
async fn remove(files: &Files, names: &[FileName]) {
    for name in names {
        if let Err(cause) = files.remove(name).await {
            let error = &UploadError::Disk(cause) as &dyn std::error::Error;
            warn!(error, "the file of an upload is left for a later sweep");
        }
    }
}

fn count<T>(of: &[T]) -> u64 {
    of.len().try_into().unwrap_or(u64::MAX)
}
