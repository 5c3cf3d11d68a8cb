//! From the bytes of a GPX file to a track. Whoever sent it is not believed: not its size, not its numbers.

use super::{Point, Track};

/// Points of a file at most: a week, a point a second and a half.
const POINTS_MAX: usize = 400_000;
/// Characters of a name that are kept.
const NAME_CHARS_MAX: usize = 200;

/// Why a file is no track, in words for whoever sent it. None of it quotes the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unreadable {
    #[error("this is not a GPX file of version 1.0 or 1.1")]
    NotGpx,
    #[error("a point lies outside of this planet")]
    NoPlace,
    #[error("there are more than {POINTS_MAX} points")]
    TooMany,
    #[error("there is no track or route with two points")]
    Empty,
}

/// Reads a file: its tracks, and its routes where it has none.
///
/// # Errors
/// See [`Unreadable`].
pub(crate) fn read(bytes: &[u8]) -> Result<Track, Unreadable> {
    // No file of ours declares entities, which are how a few bytes of XML become gigabytes.
    if contains(bytes, b"<!DOCTYPE") || contains(bytes, b"<!ENTITY") {
        return Err(Unreadable::NotGpx);
    }
    let file = gpx::read(bytes).map_err(|_| Unreadable::NotGpx)?;
    let tracks = file.tracks.iter().flat_map(|track| &track.segments);
    let mut lines: Vec<&[gpx::Waypoint]> = tracks.map(|it| it.points.as_slice()).collect();
    if lines.iter().all(|line| line.len() < 2) {
        lines = file.routes.iter().map(|it| it.points.as_slice()).collect();
    }
    lines.retain(|line| line.len() >= 2);
    if lines.is_empty() {
        return Err(Unreadable::Empty);
    }
    if lines.iter().map(|line| line.len()).sum::<usize>() > POINTS_MAX {
        return Err(Unreadable::TooMany);
    }
    let lines: Option<Vec<Vec<Point>>> = lines.into_iter().map(line).collect();
    let track_name = file.tracks.iter().find_map(|it| it.name.clone());
    let name = track_name.or_else(|| file.metadata.and_then(|it| it.name));
    Ok(Track {
        name: name.map(|name| name.trim().chars().take(NAME_CHARS_MAX).collect()),
        lines: lines.ok_or(Unreadable::NoPlace)?,
    })
}

fn line(points: &[gpx::Waypoint]) -> Option<Vec<Point>> {
    let point = |it: &gpx::Waypoint| Point::new(it.point().y(), it.point().x(), it.elevation);
    points.iter().map(point).collect()
}

fn contains(bytes: &[u8], word: &[u8]) -> bool {
    bytes
        .windows(word.len())
        .any(|window| window.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn file(inside: &str) -> String {
        format!(
            r#"<?xml version="1.0"?><gpx version="1.1" creator="test"
               xmlns="http://www.topografix.com/GPX/1/1">{inside}</gpx>"#
        )
    }

    const SEGMENT: &str = r#"<trk><name> North face </name><trkseg>
        <trkpt lat="47.1" lon="11.3"><ele>1500</ele></trkpt><trkpt lat="47.2" lon="11.3"/>
        </trkseg></trk>"#;

    #[test]
    fn a_tracks_segments_are_its_lines() {
        let track = read(file(SEGMENT).as_bytes()).unwrap();
        assert_eq!(track.name.as_deref(), Some("North face"));
        let first = Point::new(47.1, 11.3, Some(1500.0)).unwrap();
        let second = Point::new(47.2, 11.3, None).unwrap();
        assert_eq!(track.lines, [[first, second]]);
    }

    #[test]
    fn a_route_is_read_where_there_is_no_track() {
        let points = r#"<rtept lat="1" lon="2"/><rtept lat="1.1" lon="2"/>"#;
        let track = read(file(&format!("<rte>{points}</rte>")).as_bytes()).unwrap();
        assert_eq!(track.lines[0].len(), 2);
    }

    #[test]
    fn what_is_no_track_is_told_apart() {
        let of = |text: &str| read(text.as_bytes()).unwrap_err();
        assert_eq!(of(""), Unreadable::NotGpx);
        assert_eq!(of("{}"), Unreadable::NotGpx);
        assert_eq!(of(&file(SEGMENT)[..200]), Unreadable::NotGpx);
        assert_eq!(of(&file("")), Unreadable::Empty);
        let lone = r#"<trk><trkseg><trkpt lat="1" lon="2"/></trkseg></trk>"#;
        assert_eq!(of(&file(lone)), Unreadable::Empty);
        let high = SEGMENT.replace("1500", "99999");
        assert_eq!(of(&file(&high)), Unreadable::NoPlace);
    }

    #[test]
    fn entities_are_not_expanded() {
        let bomb = format!(
            r#"<!DOCTYPE gpx [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]>{}"#,
            file(SEGMENT)
        );
        assert_eq!(read(bomb.as_bytes()).unwrap_err(), Unreadable::NotGpx);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2_000)) {
            let _ = read(&bytes);
        }

        #[test]
        fn no_damage_makes_it_panic(at in 0usize..300, byte: u8) {
            let mut bytes = file(SEGMENT).into_bytes();
            let at = at % bytes.len();
            bytes[at] = byte;
            let _ = read(&bytes);
        }
    }
}
