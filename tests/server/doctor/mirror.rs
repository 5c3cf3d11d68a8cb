//! The mirror of mitras against Postgres: drift made by hand is listed, and `--repair` heals it.

use super::{Clinic, OFFLINE, ONLINE};

/// No mitra of Postgres.
const STRANGER: &str = "00000000-0000-7000-8000-000000000009";

#[tokio::test]
async fn drift_made_by_hand_is_listed_and_a_repair_heals_it() {
    let clinic = Clinic::open().await;
    for words in [
        &format!("SREM @mitras:online {ONLINE}"),
        &format!("SADD @mitras:deactivated {ONLINE}"),
        &format!("SADD @mitras:online {OFFLINE}"),
        &format!("SADD @mitras:online {STRANGER}"),
        &format!("SET @mitra:capacity:{ONLINE} 2"),
        &format!("SET @mitra:heartbeat:{OFFLINE} 2026-01-01T00:00:00.000Z"),
        &format!("HSET @mitras:max_sessions {OFFLINE} 9"),
        &format!("HSET @mitras:version {ONLINE} 99"),
    ] {
        clinic.meddle::<()>(words).await;
    }
    let visit = clinic.visit(&[]).await.expect_code(1);
    assert_eq!(visit.status("mirror"), "problem");
    let details = visit.details("mirror");
    for expected in [
        &format!("{ONLINE}: is not in mitras:online"),
        &format!("{ONLINE}: is in mitras:deactivated"),
        &format!("{OFFLINE}: is in mitras:online"),
        &format!("{STRANGER} is shown and is no mitra"),
        &format!("{ONLINE}: mitra:capacity is 2 and should be 0"),
        &format!("{OFFLINE}: mitra:heartbeat is left over"),
        &format!("{OFFLINE}: mitras:max_sessions is 9 and should be 3"),
        &format!("{ONLINE}: mitras:version is 99 and should be 1"),
    ] {
        assert!(details.contains(expected), "{expected}: {details}");
    }
    assert_eq!(visit.examined("mirror")["details"]["count"], 8);

    let repaired = clinic.visit(&["--repair"]).await.expect_code(0);
    assert_eq!(repaired.status("mirror"), "ok");
    let before = &repaired.examined("mirror")["repair"]["before"];
    assert_eq!(before["status"], "problem");
    let again = clinic.visit(&[]).await.expect_code(0);
    assert_eq!(again.status("mirror"), "ok");
    assert!(again.examined("mirror")["repair"].is_null());
}

#[tokio::test]
async fn a_key_of_the_wrong_type_is_named_and_repaired() {
    let clinic = Clinic::open().await;
    clinic.meddle::<()>("DEL @mitras:online").await;
    clinic.meddle::<()>("SET @mitras:online nonsense").await;
    let visit = clinic.visit(&[]).await.expect_code(1);
    let details = visit.details("mirror");
    assert!(details.contains("mitras:online is a string"), "{details}");
    let repaired = clinic.visit(&["--repair"]).await.expect_code(0);
    assert_eq!(repaired.status("mirror"), "ok");
}

#[tokio::test]
async fn keys_of_nobody_are_a_warning_and_only_they_are_removed() {
    let clinic = Clinic::open().await;
    let orphans = [
        format!("@mitra:capacity:{STRANGER}"),
        "@mitra:heartbeat:nobody".to_owned(),
    ];
    for key in &orphans {
        clinic.meddle::<()>(&format!("SET {key} 1")).await;
    }
    // Another system's, which a prefix taken for a pattern would reach.
    clinic
        .meddle::<()>(&format!("SET ab:mitra:capacity:{STRANGER} 1"))
        .await;
    let visit = clinic.visit(&[]).await.expect_code(0);
    assert_eq!(visit.status("mirror"), "warning");
    assert_eq!(visit.examined("mirror")["details"]["count"], 2);

    let repaired = clinic.visit(&["--repair"]).await.expect_code(0);
    assert_eq!(repaired.status("mirror"), "ok");
    for key in &orphans {
        assert!(!clinic.meddle::<bool>(&format!("EXISTS {key}")).await);
    }
    let others = format!("EXISTS ab:mitra:capacity:{STRANGER}");
    assert!(clinic.meddle::<bool>(&others).await);
    let own = format!("EXISTS @mitra:capacity:{OFFLINE}");
    assert!(clinic.meddle::<bool>(&own).await);
}

#[tokio::test]
async fn of_many_differences_twenty_are_shown_and_all_counted() {
    let clinic = Clinic::open().await;
    const SQL: &str = "INSERT INTO mitras (mitra_id, is_online, max_sessions, updated_at)
        SELECT gen_random_uuid(), false, 3, now() FROM generate_series(1, 2500)";
    clinic.database.execute(SQL, &[]).await;
    let visit = clinic.visit(&[]).await.expect_code(1);
    let details = &visit.examined("mirror")["details"];
    // Each lacks its capacity, its limit and its version.
    assert_eq!(details["count"], 7500, "{}", visit.text);
    assert_eq!(details["shown"].as_array().map(Vec::len), Some(20));
    clinic.visit(&["--repair"]).await.expect_code(0);
}

#[tokio::test]
async fn a_mirror_that_was_emptied_is_a_warning_because_nobody_believes_it() {
    let clinic = Clinic::open().await;
    clinic.meddle::<()>("FLUSHALL").await;
    let visit = clinic.visit(&[]).await.expect_code(0);
    assert_eq!(visit.status("mirror"), "warning");
    assert!(visit.text.contains("not seeded"), "{}", visit.text);
}
