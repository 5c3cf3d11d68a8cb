//! What is not needed any more goes, and nothing else.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use halobestie_core::doctor::with_causes;

use crate::world::{World, plan, png, start, start_with, talk};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

async fn rows(world: &World) -> i64 {
    let count = world.app.database.row("SELECT count(*) FROM uploads", &[]);
    count.await.get(0)
}

#[tokio::test]
async fn what_was_never_sent_goes_after_a_day() {
    let world = start().await;
    let talk = talk(&world.app).await;
    let sent = world.upload(&talk.customer, &png(1, 1, 100)).await;
    let unsent = world.upload(&talk.customer, &png(1, 1, 100)).await;
    talk.send(&world.app, &talk.customer, "image", &sent)
        .await
        .expect(201);
    world.app.clock.advance(DAY);
    assert_eq!(world.app.run_sweep("upload-unsent").await.changed, 0);
    world.app.clock.advance(Duration::from_secs(1));
    assert_eq!(world.app.run_sweep("upload-unsent").await.changed, 1);
    assert_eq!((world.files().len(), rows(&world).await), (1, 1));
    let (customer, mitra) = (
        world.back(&talk.customer).await,
        world.back(&talk.mitra).await,
    );
    world
        .read(&customer, &unsent)
        .await
        .problem("not_found", 404);
    world.read(&mitra, &sent).await.expect(200);
}

#[tokio::test]
async fn an_upload_goes_with_its_message() {
    let world = start().await;
    let talk = talk(&world.app).await;
    let (kept, deleted) = (
        world.upload(&talk.customer, &png(1, 1, 100)).await,
        world.upload(&talk.customer, &png(1, 1, 100)).await,
    );
    for upload in [&kept, &deleted] {
        talk.send(&world.app, &talk.customer, "image", upload)
            .await
            .expect(201);
    }
    // As retention does it.
    let delete = "DELETE FROM chat_messages WHERE seq = 2";
    assert_eq!(world.app.database.execute(delete, &[]).await, 1);
    assert_eq!(world.app.run_sweep("upload-uncarried").await.changed, 0);
    world.app.clock.advance(DAY + Duration::from_secs(1));
    assert_eq!(world.app.run_sweep("upload-uncarried").await.changed, 1);
    assert_eq!((world.files().len(), rows(&world).await), (1, 1));
    let (customer, mitra) = (
        world.back(&talk.customer).await,
        world.back(&talk.mitra).await,
    );
    world.read(&mitra, &kept).await.expect(200);
    world
        .read(&customer, &deleted)
        .await
        .problem("not_found", 404);
}

#[tokio::test]
async fn an_upload_goes_when_its_conversation_is_erased() {
    let world = start_with(&[("CHAT_RETENTION_DAYS", "2")]).await;
    let talk = talk(&world.app).await;
    let sent = world.upload(&talk.customer, &png(1, 1, 100)).await;
    talk.send(&world.app, &talk.customer, "image", &sent)
        .await
        .expect(201);
    let end = "UPDATE chat_sessions SET status = 'ended', end_reason = 'expired', ended_at = $1";
    let now = world.app.clock.now();
    assert_eq!(world.app.database.execute(end, &[&now]).await, 1);
    world.app.clock.advance(DAY * 2 + Duration::from_secs(1));
    assert_eq!(world.app.run_sweep("upload-uncarried").await.changed, 0);
    world.app.run_sweep("chat-retention").await;
    assert_eq!(world.app.run_sweep("upload-uncarried").await.changed, 1);
    assert_eq!((world.files().len(), rows(&world).await), (0, 0));
}

/// Makes a file that has been there for so long.
fn old_file(path: &Path, age: Duration) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let file = fs::File::create(path).unwrap();
    #[expect(clippy::disallowed_methods, reason = "files carry the machine's time")]
    file.set_modified(SystemTime::now() - age).unwrap();
}

#[tokio::test]
async fn files_that_no_upload_has_go_once_they_are_old() {
    let world = start().await;
    let talk = talk(&world.app).await;
    world.upload(&talk.customer, &png(1, 1, 100)).await;
    let kept = world.files().remove(0);
    let age = DAY + Duration::from_secs(60);
    let root = world.root.path();
    let mut gone = vec![
        root.join("incoming").join("0".repeat(32)),
        root.join("00").join("00".repeat(16)),
        root.join("ff").join("ff".repeat(16)),
    ];
    for path in gone.iter().chain([&kept]) {
        if path != &kept {
            old_file(path, age);
        }
    }
    let stays = [
        root.join("ab").join("ab".repeat(16)),
        root.join("ab").join("somebody-elses.txt"),
    ];
    old_file(&stays[0], DAY - Duration::from_secs(60));
    old_file(&stays[1], age);
    let file = fs::File::options().write(true).open(&kept).unwrap();
    #[expect(clippy::disallowed_methods, reason = "files carry the machine's time")]
    file.set_modified(SystemTime::now() - age).unwrap();

    assert_eq!(world.app.run_sweep("upload-orphans").await.changed, 3);
    gone.retain(|path| path.exists());
    assert_eq!(gone, Vec::<std::path::PathBuf>::new());
    assert!(stays.iter().chain([&kept]).all(|path| path.exists()));
}

#[tokio::test]
async fn a_server_over_another_database_deletes_nothing() {
    let world = start().await;
    let talk = talk(&world.app).await;
    world.upload(&talk.customer, &png(1, 1, 100)).await;
    world.app.run_sweep("upload-orphans").await;
    let kept = world.files().remove(0);
    let file = fs::File::options().write(true).open(&kept).unwrap();
    #[expect(clippy::disallowed_methods, reason = "files carry the machine's time")]
    file.set_modified(SystemTime::now() - 2 * DAY).unwrap();

    // A plan of its own has a database of its own.
    let stranger = plan(world.root.path()).start().await;
    let refused = stranger.try_sweep("upload-orphans").await.unwrap_err();
    assert!(
        with_causes(&*refused).contains("another database"),
        "{refused}"
    );
    assert!(kept.exists());
    assert_eq!(world.app.run_sweep("upload-orphans").await.changed, 0);
    assert!(kept.exists());
}
