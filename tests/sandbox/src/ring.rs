//! What is remembered: the last so many things, found by their id. Older ones are forgotten.

use std::collections::{HashMap, VecDeque};

/// A thing that is kept under an id of its own.
pub(crate) trait Kept {
    /// Unique among its kind.
    fn id(&self) -> &str;
}

/// The last `keep` things, oldest first.
pub(crate) struct Ring<T> {
    items: VecDeque<T>,
    /// How many were forgotten: the sequence number of the oldest that is left.
    forgotten: u64,
    by_id: HashMap<String, u64>,
    keep: usize,
}

impl<T: Kept> Ring<T> {
    pub(crate) fn new(keep: usize) -> Self {
        Self {
            items: VecDeque::new(),
            forgotten: 0,
            by_id: HashMap::new(),
            keep: keep.max(1),
        }
    }

    /// Remembers one more, and forgets the oldest where there is no room.
    pub(crate) fn push(&mut self, item: T) {
        if self.items.len() == self.keep {
            if let Some(oldest) = self.items.pop_front() {
                self.by_id.remove(oldest.id());
            }
            self.forgotten += 1;
        }
        let sequence = self.forgotten + self.items.len() as u64;
        self.by_id.insert(item.id().to_owned(), sequence);
        self.items.push_back(item);
    }

    pub(crate) fn get(&self, id: &str) -> Option<&T> {
        self.items.get(self.position(id)?)
    }

    pub(crate) fn get_mut(&mut self, id: &str) -> Option<&mut T> {
        let position = self.position(id)?;
        self.items.get_mut(position)
    }

    fn position(&self, id: &str) -> Option<usize> {
        let sequence = self.by_id.get(id)?;
        usize::try_from(sequence - self.forgotten).ok()
    }

    /// Oldest first.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &T> {
        self.items.iter()
    }

    /// Oldest first.
    pub(crate) fn iter_mut(&mut self) -> impl DoubleEndedIterator<Item = &mut T> {
        self.items.iter_mut()
    }

    /// How many there ever were.
    pub(crate) fn total(&self) -> u64 {
        self.forgotten + self.items.len() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Kept for String {
        fn id(&self) -> &str {
            self
        }
    }

    #[test]
    fn the_last_ones_are_found_and_the_older_forgotten() {
        let mut ring = Ring::new(2);
        for name in ["a", "b", "c"] {
            ring.push(name.to_owned());
        }
        assert_eq!(ring.get("a"), None);
        assert_eq!(ring.get("b").map(String::as_str), Some("b"));
        assert_eq!(ring.get("c").map(String::as_str), Some("c"));
        assert_eq!(ring.iter().collect::<Vec<_>>(), ["b", "c"]);
        assert_eq!(ring.total(), 3);
    }
}
