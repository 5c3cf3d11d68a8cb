//! What people say against what Postgres says.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use halobestie_testkit::TestDb;
use uuid::Uuid;

use super::person::Story;

/// The number of each session's last message.
pub(super) async fn last_numbers(database: &TestDb) -> Arc<HashMap<Uuid, i64>> {
    let rows = database
        .rows("SELECT id, last_seq FROM chat_sessions", &[])
        .await;
    Arc::new(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}

/// Holds every story against the history; a summary.
pub(super) async fn judge(database: &TestDb, stories: &[Story]) -> String {
    let mut messages = 0;
    for story in stories {
        messages += judge_one(database, story, stories).await;
    }
    let sockets: u64 = stories.iter().map(|story| story.sockets).sum();
    let again: u64 = stories.iter().map(|story| story.heard_again).sum();
    let early: u64 = stories.iter().map(|story| story.too_early).sum();
    // Each session was judged from both sides.
    let messages = messages / 2;
    assert!(messages > 0, "somebody has said something");
    format!(
        "{messages} messages over {sockets} sockets, {again} heard again, {early} before their resume"
    )
}

async fn judge_one(database: &TestDb, story: &Story, stories: &[Story]) -> usize {
    const SQL: &str = "SELECT id::text, seq, client_message_id, sender_id FROM chat_messages
        WHERE session_id = $1 ORDER BY seq";
    let history = database.rows(SQL, &[&story.session_id]).await;
    let numbers: Vec<i64> = history.iter().map(|row| row.get(1)).collect();
    let expected: Vec<i64> = (1..=history.len()).map(|it| it as i64).collect();
    assert_eq!(numbers, expected, "the history has no gaps");
    let ids: Vec<String> = history.iter().map(|row| row.get(0)).collect();
    assert_eq!(story.heard, ids, "this side has heard all of it, in order");
    let marks: HashSet<&str> = history.iter().map(|row| row.get(2)).collect();
    assert_eq!(marks.len(), history.len(), "nothing is there twice");

    let mine = history
        .iter()
        .filter(|row| row.get::<_, Uuid>(3) == story.user_id);
    let mine: HashMap<String, i64> = mine.map(|row| (row.get(2), row.get(1))).collect();
    assert_eq!(
        mine, story.acknowledged,
        "what was acknowledged is what there is"
    );
    let both = stories
        .iter()
        .filter(|it| it.session_id == story.session_id);
    let acknowledged: usize = both.map(|it| it.acknowledged.len()).sum();
    assert_eq!(acknowledged, history.len());
    history.len()
}
