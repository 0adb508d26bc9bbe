//! Frames: a length of four bytes (big endian), then that many bytes of JSON.

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Maximum size of a frame in bytes. The largest content is a zone's configuration.
pub const MAX_FRAME: u32 = 16 << 20;

/// Maximum size of a frame before the hello.
pub const MAX_HELLO: u32 = 4096;

/// Why a frame could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// The stream ended before a frame began.
    #[error("the connection was closed")]
    Closed,
    /// The stream failed, or ended within a frame.
    #[error("the connection failed")]
    Io(#[from] std::io::Error),
    /// The frame exceeds the limit.
    #[error("{}", too_large(*.length, *.limit))]
    TooLarge { length: u32, limit: u32 },
    /// The content is not what was expected.
    #[error("a message could not be understood")]
    Malformed(#[from] serde_json::Error),
}

/// A length of four letters means that something printed text instead of speaking the protocol.
fn too_large(length: u32, limit: u32) -> String {
    let start = length.to_be_bytes();
    if start.iter().all(|byte| byte.is_ascii_graphic() || matches!(byte, b' ' | b'\t' | b'\r' | b'\n')) {
        return format!("text came instead of a message; it begins with \"{}\"", start.escape_ascii());
    }
    format!("a message of {length} bytes was announced, at most {limit} are allowed")
}

/// Reads one frame of at most `limit` bytes.
///
/// # Errors
/// [`FrameError::Closed`] at a clean end.
pub async fn read<T: DeserializeOwned>(
    stream: &mut (impl AsyncRead + Unpin + ?Sized),
    limit: u32,
) -> Result<T, FrameError> {
    let length = head(stream, limit).await?;
    Ok(serde_json::from_slice(&body(stream, length).await?)?)
}

/// Reads the head of a frame of at most `limit` bytes: the length of its body.
///
/// # Errors
/// [`FrameError::Closed`] at a clean end.
pub async fn head(stream: &mut (impl AsyncRead + Unpin + ?Sized), limit: u32) -> Result<u32, FrameError> {
    let mut head = [0; 4];
    if stream.read(&mut head[..1]).await? == 0 {
        return Err(FrameError::Closed);
    }
    stream.read_exact(&mut head[1..]).await?;
    let length = u32::from_be_bytes(head);
    if length > limit { Err(FrameError::TooLarge { length, limit }) } else { Ok(length) }
}

/// Reads the body of a frame. Memory is allocated only for what has arrived.
pub async fn body(
    stream: &mut (impl AsyncRead + Unpin + ?Sized),
    length: u32,
) -> Result<Vec<u8>, FrameError> {
    let mut body = Vec::new();
    let got = stream.take(u64::from(length)).read_to_end(&mut body).await?;
    if got as u64 != u64::from(length) {
        return Err(FrameError::Io(std::io::ErrorKind::UnexpectedEof.into()));
    }
    Ok(body)
}

/// Skips the body of a frame, and returns its beginning.
pub async fn skip(
    stream: &mut (impl AsyncRead + Unpin + ?Sized),
    length: u32,
) -> Result<Vec<u8>, FrameError> {
    const BEGINNING: usize = 64;
    let (mut left, mut beginning) = (length as usize, Vec::new());
    let mut chunk = [0; 8192];
    while left > 0 {
        let most = left.min(chunk.len());
        let got = stream.read(&mut chunk[..most]).await?;
        if got == 0 {
            return Err(FrameError::Io(std::io::ErrorKind::UnexpectedEof.into()));
        }
        left -= got;
        let wanted = BEGINNING.saturating_sub(beginning.len()).min(got);
        beginning.extend_from_slice(&chunk[..wanted]);
    }
    Ok(beginning)
}

/// Writes one frame.
pub async fn write(
    stream: &mut (impl AsyncWrite + Unpin + ?Sized),
    value: &impl Serialize,
) -> Result<(), FrameError> {
    stream.write_all(&encode(value)?).await?;
    stream.flush().await?;
    Ok(())
}

/// Serializes a value as one frame.
pub fn encode(value: &impl Serialize) -> Result<Vec<u8>, FrameError> {
    let mut frame = vec![0; 4];
    serde_json::to_writer(&mut frame, value)?;
    let length = u32::try_from(frame.len() - 4).unwrap_or(u32::MAX);
    if length > MAX_FRAME {
        return Err(FrameError::TooLarge { length, limit: MAX_FRAME });
    }
    frame[..4].copy_from_slice(&length.to_be_bytes());
    Ok(frame)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[tokio::test]
    async fn an_announced_giant_is_refused_before_memory_is_taken() {
        let mut input: &[u8] = &[0xff, 0xff, 0xff, 0xff, 1, 2, 3];
        let error = read::<serde_json::Value>(&mut input, MAX_FRAME).await.unwrap_err();
        assert!(matches!(error, FrameError::TooLarge { length: u32::MAX, .. }));
        assert_eq!(
            error.to_string(),
            "a message of 4294967295 bytes was announced, at most 16777216 are allowed"
        );
    }

    #[tokio::test]
    async fn letters_in_place_of_a_length_are_called_text() {
        let mut input: &[u8] = b"disk\nfull";
        let error = read::<serde_json::Value>(&mut input, MAX_FRAME).await.unwrap_err();
        assert_eq!(error.to_string(), "text came instead of a message; it begins with \"disk\"");
    }

    #[tokio::test]
    async fn an_end_between_frames_is_told_from_one_within() {
        let mut nothing: &[u8] = &[];
        assert!(matches!(read::<u8>(&mut nothing, 9).await, Err(FrameError::Closed)));
        let mut half: &[u8] = &[0, 0, 0, 5, b'1'];
        assert!(matches!(read::<u8>(&mut half, 9).await, Err(FrameError::Io(_))));
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_frame_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let _ = runtime.block_on(read::<serde_json::Value>(&mut bytes.as_slice(), 1024));
        }
    }
}
