//! Showing states: some at a time, each in one step.

use halobestie_core::Timestamp;
use halobestie_core::valkey::redis::Cmd;

use super::super::columns::id_of;
use super::super::{Applied, MirrorError, Precedence};
use super::{ValkeyMirror, script};
use crate::mitra::MitraState;

const APPLY: &str = include_str!("../apply.lua");

/// States shown by one run of the script: Valkey serves nobody else meanwhile, so it must be short.
pub(super) const STATES_PER_RUN: usize = 250;

impl ValkeyMirror {
    /// Shows [`STATES_PER_RUN`] states at most.
    pub(super) async fn apply_some(
        &self,
        states: &[MitraState],
        precedence: Precedence,
        now: Timestamp,
    ) -> Result<Applied, MirrorError> {
        let mut run = script(APPLY, &self.names_for(states));
        run.arg(match precedence {
            Precedence::Newest => "newest",
            Precedence::Postgres => "postgres",
        });
        run.arg(now.to_string()).arg(self.heartbeat_life_seconds);
        for state in states {
            add_state(&mut run, state);
        }
        let (differing, flipped, ahead): (u64, bool, Vec<(String, i64)>) =
            self.valkey.run(&run).await?;
        let ahead = ahead
            .into_iter()
            .map(|(id, version)| Ok((id_of(&id)?, version)));
        Ok(Applied {
            differing,
            flipped,
            ahead: ahead.collect::<Result<_, MirrorError>>()?,
        })
    }

    /// The keys that the script touches, in its order.
    fn names_for(&self, states: &[MitraState]) -> Vec<String> {
        let keys = &self.keys;
        let mut names = vec![
            keys.online.clone(),
            keys.deactivated.clone(),
            keys.free.clone(),
            keys.max_sessions.clone(),
            keys.version.clone(),
            keys.snapshot.clone(),
        ];
        for state in states {
            let id = state.mitra.id.to_string();
            names.extend([keys.capacity(&id), keys.heartbeat(&id)]);
        }
        names
    }
}

fn add_state(run: &mut Cmd, state: &MitraState) {
    let mitra = &state.mitra;
    let heard = mitra
        .last_heartbeat_at
        .map_or_else(String::new, |at| at.to_string());
    run.arg(mitra.id.to_string()).arg(mitra.version);
    run.arg(u8::from(mitra.is_online))
        .arg(u8::from(!mitra.is_active));
    run.arg(mitra.max_sessions).arg(state.in_use).arg(heard);
}
