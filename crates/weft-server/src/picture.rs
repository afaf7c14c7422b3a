//! People's pictures: whatever is uploaded is decoded and drawn anew, small and square, so that nothing of the
//! file but its colours is served to others.
//!
//! How large a picture would become is looked at before it is decoded: a small file can claim to be huge.

use std::io::Cursor;

use image::{
    DynamicImage, ImageDecoder, ImageFormat, ImageReader, codecs::webp::WebPEncoder,
    imageops::FilterType,
};
use sha2::{Digest, Sha256};
use weft_store::Picture;

/// Width and height of what is stored, in pixels: a face beside a name, on a screen of twice the density.
const SIDE: u32 = 256;
/// The format of what is stored.
pub const MEDIA_TYPE: &str = "image/webp";

/// The file is no picture that can be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadPicture {
    /// It is no PNG, JPEG or WebP, or damaged.
    Malformed,
    /// It has too many pixels.
    TooLarge,
}

/// Draws the picture of a PNG, JPEG or WebP anew. Takes a core for up to some 100 ms, and four bytes of memory for
/// each pixel.
pub fn redraw(file: &[u8], pixels_max: u64) -> Result<Picture, BadPicture> {
    let mut reader = ImageReader::new(Cursor::new(file));
    let format = image::guess_format(file).map_err(|_| BadPicture::Malformed)?;
    if !matches!(format, ImageFormat::Png | ImageFormat::Jpeg | ImageFormat::WebP) {
        return Err(BadPicture::Malformed);
    }
    reader.set_format(format);
    let mut decoder = reader.into_decoder().map_err(|_| BadPicture::Malformed)?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > pixels_max {
        return Err(BadPicture::TooLarge);
    }
    // Phones store how they were held beside the pixels.
    let orientation = decoder.orientation().map_err(|_| BadPicture::Malformed)?;
    let picture = DynamicImage::from_decoder(decoder).map_err(|_| BadPicture::Malformed)?;
    let mut picture = picture.resize_to_fill(SIDE, SIDE, FilterType::Triangle);
    picture.apply_orientation(orientation);

    let mut image = Vec::new();
    let pixels = picture.into_rgba8();
    let drawn = WebPEncoder::new_lossless(&mut image).encode(
        pixels.as_raw(),
        SIDE,
        SIDE,
        image::ExtendedColorType::Rgba8,
    );
    drawn.expect("a Vec takes all that is written to it, and the size is right");
    Ok(Picture { hash: Sha256::digest(&image).into(), image })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(format: ImageFormat, width: u32, height: u32) -> Vec<u8> {
        let picture = DynamicImage::new_rgb8(width, height);
        let mut file = Cursor::new(Vec::new());
        picture.write_to(&mut file, format).unwrap();
        file.into_inner()
    }

    #[test]
    fn pictures_become_small_and_square() {
        for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::WebP] {
            for (width, height) in [(1, 1), (300, 20), (512, 512)] {
                let drawn = redraw(&file(format, width, height), 1_000_000).unwrap();
                let read = image::load_from_memory(&drawn.image).unwrap();
                assert_eq!((read.width(), read.height()), (SIDE, SIDE), "{format:?}");
                assert_eq!(image::guess_format(&drawn.image).unwrap(), ImageFormat::WebP);
            }
        }
    }

    #[test]
    fn what_is_no_picture_or_too_large_is_refused() {
        let whole = file(ImageFormat::Png, 64, 64);
        assert_eq!(redraw(&whole, 64 * 64 - 1), Err(BadPicture::TooLarge));
        assert_eq!(redraw(&whole[..whole.len() / 2], 10_000), Err(BadPicture::Malformed));
        assert_eq!(redraw(b"GIF89a\x01\x00\x01\x00", 10_000), Err(BadPicture::Malformed));
        assert_eq!(redraw(b"<svg></svg>", 10_000), Err(BadPicture::Malformed));
        assert_eq!(redraw(b"", 10_000), Err(BadPicture::Malformed));
        // A head that claims 65,535 x 65,535 pixels is refused for that, before anything is decoded.
        let mut bomb = file(ImageFormat::Png, 64, 64);
        bomb[16..24].copy_from_slice(&[0, 0, 0xff, 0xff, 0, 0, 0xff, 0xff]);
        assert!(redraw(&bomb, 10_000).is_err());
    }

    #[test]
    fn nothing_of_the_file_but_its_colours_is_kept() {
        let mut tagged = file(ImageFormat::Jpeg, 64, 64);
        let comment = b"\xff\xfe\x00\x0esecret-place";
        tagged.splice(2..2, comment.iter().copied());
        let drawn = redraw(&tagged, 10_000).unwrap();
        assert!(!drawn.image.windows(6).any(|bytes| bytes == b"secret"));
    }
}
