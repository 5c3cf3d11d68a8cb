//! What goes with a closed account.

use crate::server::{fresh_email, seconds, sign_in, start, text, token, verify};

#[tokio::test]
async fn its_links_open_nothing_and_its_email_is_erased_everywhere() {
    let (app, mail) = start().await;
    let email = fresh_email();
    let tokens = sign_in(&app, &mail, &email).await;
    app.clock.advance(seconds(30));
    let pending = token(&app, &mail, &email).await;
    let close = app
        .delete("/api/auth/me")
        .bearer(&text(&tokens, "access_token"));
    close.send().await.expect(204);
    verify(&app, &pending)
        .await
        .problem("email_link_expired", 410);
    let dump = "SELECT (SELECT json_agg(u)::text FROM users u)
                    || (SELECT json_agg(l)::text FROM email_links l)
                    || (SELECT json_agg(s)::text FROM auth_sessions s)";
    let stored: String = app.database.row(dump, &[]).await.get(0);
    assert!(!stored.contains(&email), "{stored}");
    // Asked for afresh, a link makes a fresh account.
    app.clock.advance(seconds(30));
    let again = sign_in(&app, &mail, &email).await;
    assert_eq!(again["user"]["is_new"], true);
    assert_ne!(again["user"]["id"], tokens["user"]["id"]);
}

#[tokio::test]
async fn other_peoples_links_stay() {
    let (app, mail) = start().await;
    let (leaves, stays) = (fresh_email(), fresh_email());
    let tokens = sign_in(&app, &mail, &leaves).await;
    let link = token(&app, &mail, &stays).await;
    let close = app
        .delete("/api/auth/me")
        .bearer(&text(&tokens, "access_token"));
    close.send().await.expect(204);
    verify(&app, &link).await.expect(200);
}

#[tokio::test]
async fn no_session_outlives_an_account_that_is_closed_while_its_link_is_shown() {
    let (app, mail) = start().await;
    for _ in 0..8 {
        let email = fresh_email();
        let tokens = sign_in(&app, &mail, &email).await;
        app.clock.advance(seconds(30));
        let link = token(&app, &mail, &email).await;
        let close = app
            .delete("/api/auth/me")
            .bearer(&text(&tokens, "access_token"));
        let (closed, shown) = tokio::join!(close.send(), verify(&app, &link));
        closed.expect(204);
        assert!([200, 410].contains(&shown.status.as_u16()), "{shown}");
    }
    let orphans = "SELECT count(*) FROM auth_sessions s JOIN users u ON u.id = s.user_id
                    WHERE s.revoked_at IS NULL AND NOT u.is_active";
    assert_eq!(app.database.row(orphans, &[]).await.get::<_, i64>(0), 0);
}
