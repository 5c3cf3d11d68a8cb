//! Lists: `?limit=`, an opaque `?cursor=`, `{items, next_cursor}`. A page is read one item too long, so
//! that it is known whether there is a next one.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;

use crate::problem::Problem;

const LIMIT_DEFAULT: i64 = 50;
const LIMIT_MAX: i64 = 100;

/// How many items a page has.
///
/// # Errors
/// `validation_failed` outside 1–100.
pub fn limit(asked: Option<i64>) -> Result<i64, Problem> {
    match asked {
        None => Ok(LIMIT_DEFAULT),
        Some(limit) if (1..=LIMIT_MAX).contains(&limit) => Ok(limit),
        Some(_) => Err(Problem::invalid(
            "limit",
            format!("must be 1 to {LIMIT_MAX}"),
        )),
    }
}

/// Reads a cursor that an earlier page gave out.
///
/// # Errors
/// `validation_failed` for anything else.
pub fn read_cursor(text: Option<&str>) -> Result<Option<Uuid>, Problem> {
    let Some(text) = text else { return Ok(None) };
    let bytes = URL_SAFE_NO_PAD.decode(text).ok();
    match bytes.and_then(|bytes| Uuid::from_slice(&bytes).ok()) {
        Some(id) => Ok(Some(id)),
        None => Err(Problem::invalid(
            "cursor",
            "must be the next_cursor of an earlier page",
        )),
    }
}

/// Cuts a list that was read one item too long; the cursor of the next page, where there is one.
pub fn cut<T>(items: &mut Vec<T>, limit: i64, id: impl Fn(&T) -> Uuid) -> Option<String> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    if items.len() <= limit {
        return None;
    }
    items.truncate(limit);
    items
        .last()
        .map(|last| URL_SAFE_NO_PAD.encode(id(last).as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_back_and_nothing_else_is_one() {
        let id = Uuid::from_u128(7);
        let cursor = cut(&mut vec![id, Uuid::nil()], 1, |id| *id);
        assert_eq!(read_cursor(cursor.as_deref()).unwrap(), Some(id));
        assert_eq!(read_cursor(None).unwrap(), None);
        for wrong in ["", "x", "AAAA", "not base64!"] {
            assert!(read_cursor(Some(wrong)).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_limit_is_between_one_and_a_hundred() {
        assert_eq!(limit(None).unwrap(), 50);
        assert_eq!(limit(Some(100)).unwrap(), 100);
        assert!(limit(Some(0)).is_err());
        assert!(limit(Some(101)).is_err());
    }

    #[test]
    fn a_list_is_cut_to_its_page() {
        let ids = [1, 2, 3].map(Uuid::from_u128);
        let mut items = ids.to_vec();
        assert!(cut(&mut items, 2, |id| *id).is_some());
        assert_eq!(items, ids[..2]);
        assert!(cut(&mut items, 2, |id| *id).is_none());
        assert_eq!(items, ids[..2]);
    }
}
