//! `Range` of a GET (RFC 9110 §14.2), for players that jump: one range of bytes, or all of them.

use std::ops::Range;

/// What a request asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// The whole file: no range, or one that we need not understand.
    All,
    /// These bytes.
    Part(Range<u64>),
    /// Nothing of the file lies in the range.
    Beyond,
}

/// Reads the header for a file of `size` bytes. Several ranges, other units and nonsense mean the whole.
pub(crate) fn read(header: Option<&str>, size: u64) -> Asked {
    let Some((first, last)) = header
        .and_then(|header| header.strip_prefix("bytes="))
        .and_then(|range| range.split_once('-'))
    else {
        return Asked::All;
    };
    let number = |text: &str| text.trim().parse::<u64>().ok();
    match (number(first), number(last)) {
        (Some(first), _) if first >= size => Asked::Beyond,
        (Some(first), Some(last)) if last >= first => {
            Asked::Part(first..last.saturating_add(1).min(size))
        }
        (Some(first), None) if last.trim().is_empty() => Asked::Part(first..size),
        (None, Some(0)) if first.trim().is_empty() => Asked::Beyond,
        (None, Some(count)) if first.trim().is_empty() => {
            Asked::Part(size.saturating_sub(count)..size)
        }
        _ => Asked::All,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_range_of_bytes_is_understood() {
        let cases = [
            (None, Asked::All),
            (Some("bytes=0-"), Asked::Part(0..100)),
            (Some("bytes=0-0"), Asked::Part(0..1)),
            (Some("bytes=10-19"), Asked::Part(10..20)),
            (Some("bytes=90-500"), Asked::Part(90..100)),
            (Some("bytes=-10"), Asked::Part(90..100)),
            (Some("bytes=-500"), Asked::Part(0..100)),
            (Some("bytes=100-"), Asked::Beyond),
            (Some("bytes=-0"), Asked::Beyond),
            (Some("bytes=5-4"), Asked::All),
            (Some("bytes=-"), Asked::All),
            (Some("bytes=0-1,5-6"), Asked::All),
            (Some("pages=1-2"), Asked::All),
            (Some("bytes=x-y"), Asked::All),
        ];
        for (header, asked) in cases {
            assert_eq!(read(header, 100), asked, "{header:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn a_part_lies_within_the_file(header in "bytes=[0-9]{0,20}-[0-9]{0,20}", size in 1u64..10_000) {
            if let Asked::Part(part) = read(Some(&header), size) {
                proptest::prop_assert!(part.start < part.end && part.end <= size);
            }
        }
    }
}
