//! Whether a draft may be written: a pure rule.

use halobestie_core::http::conditional::Condition;

/// What is to be done with what somebody sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// There is no such draft: make it.
    Create,
    /// The sender has seen what is there: replace it.
    Replace,
    /// It says so already, as after an answer that was lost.
    Same,
    /// Another device has changed or deleted it meanwhile: keep both.
    Changed,
    /// The sender does not say what they have seen.
    Blind,
}

/// Judges what somebody sends, by the tag and the content of what is there.
pub(crate) fn judge(current: Option<(&str, &str)>, condition: &Condition, sent: &str) -> Verdict {
    let Some((tag, content)) = current else {
        return match condition.holds(None) {
            true => Verdict::Create,
            false => Verdict::Changed,
        };
    };
    match condition {
        _ if content == sent => Verdict::Same,
        Condition::None => Verdict::Blind,
        condition if condition.holds(Some(tag)) => Verdict::Replace,
        _ => Verdict::Changed,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What a device does next.
    #[derive(Clone, Copy, Debug)]
    enum Step {
        Read(usize),
        Write(usize),
        Delete,
    }

    const DEVICES: usize = 3;

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            2 => (0..DEVICES).prop_map(Step::Read),
            4 => (0..DEVICES).prop_map(Step::Write),
            1 => Just(Step::Delete),
        ];
        proptest::collection::vec(step, 1..40)
    }

    proptest! {
        /// Whatever the devices do: what was accepted or refused is somewhere, unless somebody who had
        /// seen it wrote over it, or deleted it.
        #[test]
        fn no_version_is_lost_that_nobody_has_seen(steps in steps()) {
            let mut draft: Option<(String, String)> = None;
            let mut conflicts = Vec::new();
            // What each device has seen last: a tag, or that there is nothing.
            let mut seen: [Option<String>; DEVICES] = Default::default();
            for (number, step) in steps.into_iter().enumerate() {
                match step {
                    Step::Read(device) => seen[device] = draft.as_ref().map(|it| it.0.clone()),
                    Step::Delete => draft = None,
                    Step::Write(device) => {
                        let condition = match &seen[device] {
                            None => Condition::Absent,
                            Some(tag) => Condition::OneOf(vec![tag.clone()]),
                        };
                        let sent = format!("version {number}");
                        let current = draft.as_ref().map(|(tag, text)| (tag.as_str(), text.as_str()));
                        let before = draft.clone();
                        match judge(current, &condition, &sent) {
                            Verdict::Create | Verdict::Replace => {
                                prop_assert_eq!(
                                    before.map(|it| it.0),
                                    seen[device].clone(),
                                    "only what was seen is written over"
                                );
                                let tag = format!("\"{number}\"");
                                seen[device] = Some(tag.clone());
                                draft = Some((tag, sent));
                            }
                            Verdict::Changed => {
                                prop_assert_ne!(before.map(|it| it.0), seen[device].clone());
                                conflicts.push(sent.clone());
                                prop_assert!(conflicts.contains(&sent));
                            }
                            other => prop_assert!(false, "{:?}", other),
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn an_answer_that_was_lost_can_be_asked_for_again() {
        let current = Some(("\"2\"", "new"));
        let stale = Condition::OneOf(vec!["\"1\"".to_owned()]);
        assert_eq!(judge(current, &stale, "new"), Verdict::Same);
        assert_eq!(judge(current, &Condition::Absent, "new"), Verdict::Same);
        assert_eq!(judge(current, &stale, "other"), Verdict::Changed);
    }

    #[test]
    fn nobody_writes_blindly_over_what_is_there() {
        let current = Some(("\"2\"", "new"));
        assert_eq!(judge(current, &Condition::None, "other"), Verdict::Blind);
        assert_eq!(judge(None, &Condition::None, "other"), Verdict::Create);
        let present = judge(current, &Condition::Present, "other");
        assert_eq!(present, Verdict::Replace);
        assert_eq!(judge(None, &Condition::Present, "x"), Verdict::Changed);
    }
}
