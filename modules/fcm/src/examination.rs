//! What can be found out about FCM without anybody's device getting a message.

use std::sync::Arc;

use halobestie_core::doctor::{Examination, Finding, with_causes};

use crate::access::NoAccess;
use crate::gateway::{Gateway, Unsent};
use crate::message;

/// The examination.
pub(crate) fn examination(gateway: Arc<Gateway>) -> Examination {
    Examination::new(
        "fcm",
        "whether FCM is there and takes our messages",
        move || {
            let gateway = gateway.clone();
            async move { examine(&gateway).await }
        },
    )
    .within(std::time::Duration::from_secs(40))
}

async fn examine(gateway: &Gateway) -> Finding {
    if let Err(error) = gateway.try_access().await {
        return no_access(&error);
    }
    let project = gateway.project_id();
    match gateway.send(&message::trial()).await {
        Ok(()) => Finding::ok(format!(
            "Google gives us an access token, and FCM takes messages for project {project}"
        )),
        Err(Unsent::NoAccess(error)) => no_access(&error),
        Err(Unsent::Refused(answer)) => Finding::problem(
            format!(
                "FCM refuses a trial message for project {project}: {}",
                answer.words
            ),
            "nothing reaches sleeping apps meanwhile: check that the service account may send by FCM, that \
             the API is switched on in its project, and FCM_BASE_URL",
        ),
        Err(error) => Finding::problem(
            with_causes(&error),
            "check FCM_BASE_URL, and whether this machine may reach it",
        ),
    }
}

fn no_access(error: &NoAccess) -> Finding {
    let advice = match error {
        NoAccess::Refused { .. } => {
            "check this machine's clock, and in Google's console that the key of \
             FIREBASE_SERVICE_ACCOUNT_PATH has not been deleted"
        }
        _ => "check whether this machine may reach the token_uri of FIREBASE_SERVICE_ACCOUNT_PATH",
    };
    Finding::problem(with_causes(error), advice)
}
