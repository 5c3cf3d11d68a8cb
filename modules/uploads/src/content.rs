//! What a file is, by its bytes. Nothing that a sender says about a file is believed or kept.
//!
//! Containers that hold film as well as sound are taken and served as sound: a phone's recorder and a
//! browser's make them, and whatever plays one as sound shows no picture.

use std::io::{BufRead, Seek};

use halobestie_core::ports::AttachmentKind;

/// How much of a file says what it is.
pub(crate) const HEAD_BYTES: usize = 4096;
/// Pictures are decoded by other people's phones: this is as much as those can take.
const PIXELS_MAX: u64 = 64_000_000;
/// On either side, in pixels.
const SIDE_MAX: u64 = 16_384;

/// A kind of file that is taken.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ContentType {
    /// As it is served.
    pub(crate) name: &'static str,
    /// What it is for people.
    pub(crate) kind: AttachmentKind,
    /// For the name of a download.
    pub(crate) extension: &'static str,
}

const fn image(name: &'static str, extension: &'static str) -> ContentType {
    ContentType {
        name,
        kind: AttachmentKind::Image,
        extension,
    }
}

const fn audio(name: &'static str, extension: &'static str) -> ContentType {
    ContentType {
        name,
        kind: AttachmentKind::Audio,
        extension,
    }
}

/// What is found, and what it is served as.
static TAKEN: &[(&str, ContentType)] = &[
    ("image/jpeg", image("image/jpeg", "jpg")),
    ("image/png", image("image/png", "png")),
    ("image/webp", image("image/webp", "webp")),
    ("image/gif", image("image/gif", "gif")),
    ("audio/mpeg", audio("audio/mpeg", "mp3")),
    ("audio/m4a", audio("audio/mp4", "m4a")),
    ("video/mp4", audio("audio/mp4", "m4a")),
    ("audio/aac", audio("audio/aac", "aac")),
    ("audio/ogg", audio("audio/ogg", "ogg")),
    ("audio/opus", audio("audio/ogg", "ogg")),
    ("video/webm", audio("audio/webm", "webm")),
    ("audio/x-wav", audio("audio/wav", "wav")),
    ("audio/amr", audio("audio/amr", "amr")),
];

/// What a file is that begins like this; `None` for whatever is not taken.
pub(crate) fn sniff(head: &[u8]) -> Option<&'static ContentType> {
    let found = infer::get(head)?.mime_type();
    let taken = TAKEN.iter().find(|(sniffed, _)| *sniffed == found);
    taken.map(|(_, content_type)| content_type)
}

/// The extension of a stored type.
pub(crate) fn extension(content_type: &str) -> &'static str {
    let taken = TAKEN.iter().find(|(_, it)| it.name == content_type);
    taken.map_or("bin", |(_, it)| it.extension)
}

/// A picture's size in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pixels {
    pub(crate) width: u32,
    pub(crate) height: u32,
}

/// Why a picture is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BadPicture {
    /// Its headers do not say how large it is.
    Unreadable,
    /// It has more pixels than anybody should have to decode.
    TooManyPixels,
}

/// Reads a picture's size from its headers, without decoding it.
pub(crate) fn measure<R: BufRead + Seek>(picture: R) -> Result<Pixels, BadPicture> {
    let size = imagesize::reader_size(picture).map_err(|_| BadPicture::Unreadable)?;
    let side = |side: usize| u32::try_from(side).map_err(|_| BadPicture::TooManyPixels);
    let (width, height) = (side(size.width)?, side(size.height)?);
    let (across, down) = (u64::from(width), u64::from(height));
    if across == 0 || down == 0 {
        return Err(BadPicture::Unreadable);
    }
    if across.max(down) > SIDE_MAX || across * down > PIXELS_MAX {
        return Err(BadPicture::TooManyPixels);
    }
    Ok(Pixels { width, height })
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    /// The head of a PNG of this size.
    fn png(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
        bytes.extend(width.to_be_bytes());
        bytes.extend(height.to_be_bytes());
        bytes.extend([8, 2, 0, 0, 0]);
        bytes
    }

    #[test]
    fn bytes_say_what_a_file_is() {
        let served = |head: &[u8]| sniff(head).map(|it| it.name);
        assert_eq!(served(&png(1, 1)), Some("image/png"));
        assert_eq!(served(b"\xff\xd8\xff\xe0\0\x10JFIF\0"), Some("image/jpeg"));
        assert_eq!(served(b"GIF89a\x01\0\x01\0"), Some("image/gif"));
        assert_eq!(served(b"RIFF\x24\0\0\0WEBPVP8 "), Some("image/webp"));
        assert_eq!(served(b"RIFF\x24\0\0\0WAVEfmt "), Some("audio/wav"));
        assert_eq!(served(b"ID3\x04\0\0\0\0\0\0\0\0"), Some("audio/mpeg"));
        assert_eq!(served(b"OggS\0\x02\0\0\0\0\0\0\0\0\0\0"), Some("audio/ogg"));
        assert_eq!(served(b"\0\0\0\x18ftypM4A \0\0\0\0"), Some("audio/mp4"));
        assert_eq!(served(b"\0\0\0\x18ftypmp42\0\0\0\0"), Some("audio/mp4"));
        assert_eq!(served(b"#!AMR\nxxxxxx"), Some("audio/amr"));
    }

    #[test]
    fn what_could_run_in_a_browser_is_not_taken() {
        let refused: [&[u8]; 7] = [
            b"<!DOCTYPE html><script>",
            b"<svg xmlns=\"http://www.w3.org/2000/svg\">",
            b"%PDF-1.7",
            b"PK\x03\x04",
            b"MZ\x90\0",
            b"just text",
            b"",
        ];
        for head in refused {
            assert_eq!(sniff(head), None, "{}", String::from_utf8_lossy(head));
        }
    }

    #[test]
    fn a_picture_that_would_fill_a_memory_is_not_taken() {
        let measured = |width, height| measure(Cursor::new(png(width, height)));
        let (width, height) = (4000, 3000);
        assert_eq!(measured(width, height), Ok(Pixels { width, height }));
        assert_eq!(
            measured(16_384, 3_906),
            Ok(Pixels {
                width: 16_384,
                height: 3_906
            })
        );
        assert_eq!(measured(16_384, 3_907), Err(BadPicture::TooManyPixels));
        assert_eq!(measured(16_385, 1), Err(BadPicture::TooManyPixels));
        assert_eq!(measured(u32::MAX, u32::MAX), Err(BadPicture::TooManyPixels));
        assert_eq!(measured(0, 5), Err(BadPicture::Unreadable));
        assert_eq!(measure(Cursor::new(b"GIF89a")), Err(BadPicture::Unreadable));
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_break_the_look(head in proptest::collection::vec(0u8.., 0..200), which in 0usize..5) {
            let magics: [&[u8]; 5] = [
                b"", b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"RIFF\x24\0\0\0WEBPVP8X",
            ];
            let bytes = [magics[which], &head].concat();
            let _ = sniff(&bytes);
            let _ = measure(Cursor::new(bytes));
        }
    }
}
