//! Letters that are not taken at once, or not at all.

use halobestie_testkit::{TestApp, eventually};

use crate::server::{ask, fresh_email, seconds, start};
use crate::smtp::MailServer;

/// How many letters had this outcome.
async fn outcome(app: &TestApp, outcome: &str) -> bool {
    let metrics = app.internal_get("/metrics").send().await.expect(200).text();
    metrics.contains(&format!(
        "halobestie_email_letters_total{{outcome=\"{outcome}\"}} 1"
    ))
}

async fn until(app: &TestApp, wanted: &str) {
    eventually("the letter is done", || async {
        outcome(app, wanted).await
    })
    .await;
}

/// Lets the pauses between tries pass until `there` is true.
async fn pass_time_until(app: &TestApp, mail: &MailServer, tries: usize) {
    eventually("it is tried again", || async {
        app.clock.advance(seconds(5));
        mail.connections() >= tries
    })
    .await;
}

#[tokio::test]
async fn who_is_told_not_now_comes_again() {
    let (app, mail) = start().await;
    let email = fresh_email();
    mail.will_answer(&["451 not now", "421 busy"]);
    ask(&app, &email).await.expect(202);
    pass_time_until(&app, &mail, 3).await;
    let letter = mail.letter(&email, 1).await;
    until(&app, "sent").await;
    assert_eq!(mail.arrived().len(), 1);
    crate::server::verify(&app, &letter.token())
        .await
        .expect(200);
}

#[tokio::test]
async fn who_is_told_never_does_not_come_again() {
    let (app, mail) = start().await;
    mail.will_answer(&["550 no such person", "550 no such person"]);
    ask(&app, &fresh_email()).await.expect(202);
    until(&app, "refused").await;
    assert_eq!(mail.connections(), 1);
    // The next letter is not held up.
    mail.will_answer(&[]);
    let email = fresh_email();
    ask(&app, &email).await.expect(202);
    mail.letter(&email, 1).await;
}

#[tokio::test]
async fn it_is_given_up_after_four_tries() {
    let (app, mail) = start().await;
    mail.will_answer(&["451 not now"; 9]);
    ask(&app, &fresh_email()).await.expect(202);
    pass_time_until(&app, &mail, 4).await;
    until(&app, "failed").await;
    assert_eq!(mail.connections(), 4);
}

#[tokio::test]
async fn a_stop_sends_what_waits() {
    let (app, mail) = start().await;
    let email = fresh_email();
    mail.will_answer(&["451 not now"]);
    ask(&app, &email).await.expect(202);
    eventually("it was tried", || async { mail.connections() == 1 }).await;
    // The pause lasts as long as the clock stands still; a stop ends it.
    app.stop().await;
    assert_eq!(mail.letter(&email, 1).await.to, email);
}
