//! How many uploads are under way in this process: each holds a place on the disk before it is counted.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use uuid::Uuid;

use crate::error::UploadError;

/// Of everybody together: at most 640 MiB on the disk that nobody has counted yet.
const ALL_MAX: usize = 64;
/// Of one person.
const USER_MAX: usize = 3;

/// The uploads under way.
#[derive(Clone, Default)]
pub(crate) struct Slots(Arc<Mutex<HashMap<Uuid, usize>>>);

impl Slots {
    /// Takes a place until the guard is dropped.
    ///
    /// # Errors
    /// When this person, or everybody together, has as many as may be.
    pub(crate) fn take(&self, user_id: Uuid) -> Result<Slot, UploadError> {
        let mut taken = self.lock();
        if taken.get(&user_id).is_some_and(|count| *count >= USER_MAX) {
            return Err(UploadError::TooMany);
        }
        if taken.values().sum::<usize>() >= ALL_MAX {
            return Err(UploadError::Busy);
        }
        *taken.entry(user_id).or_default() += 1;
        Ok(Slot {
            slots: self.clone(),
            user_id,
        })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Uuid, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place.
#[derive(Debug)]
pub(crate) struct Slot {
    slots: Slots,
    user_id: Uuid,
}

impl std::fmt::Debug for Slots {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Slots")
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut taken = self.slots.lock();
        if let Some(count) = taken.get_mut(&self.user_id) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.user_id);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_person_cannot_take_all_places_and_gives_them_back() {
        let slots = Slots::default();
        let me = Uuid::from_u128(1);
        let mine: Vec<_> = (0..USER_MAX).map(|_| slots.take(me).unwrap()).collect();
        assert!(matches!(slots.take(me), Err(UploadError::TooMany)));
        let others: Vec<_> = (0..ALL_MAX - USER_MAX)
            .map(|other| slots.take(Uuid::from_u128(other as u128 + 2)).unwrap())
            .collect();
        let late = Uuid::from_u128(u128::MAX);
        assert!(matches!(slots.take(late), Err(UploadError::Busy)));
        drop((mine, others));
        assert!(slots.take(late).is_ok());
        assert_eq!(slots.lock().len(), 0);
    }
}
