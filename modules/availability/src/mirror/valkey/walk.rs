//! Walking over everybody, some at a time: Valkey, which does one thing after the other, serves others in
//! between, and so does this process.

use std::collections::HashSet;

use halobestie_core::valkey::redis::{Cmd, cmd, pipe};

use super::super::columns::{Column, Columns, id_of, instant, number};
use super::super::{Census, IsKnown, MirrorError, Online, OnlinePage};
use super::{ValkeyMirror, free};

/// About as many members come at once. Small collections come whole.
const PER_STEP: usize = 500;

/// One of the mirror's lists of names.
struct List<'a> {
    key: &'a str,
    /// What gives a part of it, and from one name to the next in the answer: a value or a score may lie
    /// between.
    scan: &'static str,
    stride: usize,
    /// What gives its length, and the length that it should have.
    length: &'static str,
    expected: u64,
}

fn scan(command: &str, key: &str, cursor: u64) -> Cmd {
    let mut scan = cmd(command);
    scan.arg(key).arg(cursor).arg("COUNT").arg(PER_STEP);
    scan
}

impl ValkeyMirror {
    /// Some of those who are online.
    pub(super) async fn online_from(&self, cursor: u64) -> Result<OnlinePage, MirrorError> {
        let mut ask = pipe();
        ask.add_command(scan("SSCAN", &self.keys.online, cursor))
            .add_command(self.is_seeded());
        let ((next, ids), is_seeded): ((u64, Vec<String>), bool) =
            self.valkey.run_all(&ask).await?;
        if !is_seeded {
            return Err(MirrorError::NotSeeded);
        }
        let columns = [Column::Heartbeat, Column::Version];
        let columns = Columns::read(&self.valkey, &self.keys, &ids, &columns).await?;
        let row = |(row, id): (usize, &String)| {
            Ok(Online {
                mitra_id: id_of(id)?,
                heard_at: instant(columns.cell(0, row)),
                version: number(columns.cell(1, row), "a version")?,
            })
        };
        let mitras: Result<_, MirrorError> = ids.iter().enumerate().map(row).collect();
        Ok(OnlinePage {
            mitras: mitras?,
            next: (next != 0).then_some(next),
        })
    }

    /// The names that nobody knows, in lists that are not as long as expected. Where a stray came and
    /// somebody left at once a list has its length, and the next look finds it.
    pub(super) async fn unknown_names(
        &self,
        expected: &Census,
        is_known: IsKnown<'_>,
    ) -> Result<HashSet<String>, MirrorError> {
        let lists = self.lists(expected).await?;
        let mut measure = pipe();
        for list in &lists {
            measure.cmd(list.length).arg(list.key);
        }
        let lengths: Vec<u64> = self.valkey.run_all(&measure).await?;
        let mut unknown = HashSet::new();
        for (list, length) in lists.iter().zip(lengths) {
            if length != list.expected {
                self.walk(list, is_known, &mut unknown).await?;
            }
        }
        unknown.remove(free::MARK);
        Ok(unknown)
    }

    async fn walk(
        &self,
        list: &List<'_>,
        is_known: IsKnown<'_>,
        unknown: &mut HashSet<String>,
    ) -> Result<(), MirrorError> {
        let mut cursor = 0;
        loop {
            let step = scan(list.scan, list.key, cursor);
            let (next, found): (u64, Vec<String>) = self.valkey.run(&step).await?;
            let names = found.into_iter().step_by(list.stride);
            unknown.extend(names.filter(|name| !is_known(name)));
            if next == 0 {
                return Ok(());
            }
            cursor = next;
        }
    }

    async fn lists(&self, expected: &Census) -> Result<[List<'_>; 5], MirrorError> {
        let keys = &self.keys;
        let mut mark = cmd("ZSCORE");
        mark.arg(&keys.free).arg(free::MARK);
        let mark: Option<f64> = self.valkey.run(&mark).await?;
        let set = |key, expected| List {
            key,
            scan: "SSCAN",
            stride: 1,
            length: "SCARD",
            expected,
        };
        let hash = |key| List {
            key,
            scan: "HSCAN",
            stride: 2,
            length: "HLEN",
            expected: expected.all,
        };
        let free = List {
            key: &keys.free,
            scan: "ZSCAN",
            stride: 2,
            length: "ZCARD",
            expected: expected.free + u64::from(mark.is_some()),
        };
        Ok([
            set(&keys.online, expected.online),
            set(&keys.deactivated, expected.deactivated),
            hash(&keys.max_sessions),
            hash(&keys.version),
            free,
        ])
    }
}
