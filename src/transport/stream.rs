//! A stream of bytes, whatever carries it.

use tokio::io::{AsyncRead, AsyncWrite};

/// An authenticated stream of bytes to something on some host.
pub trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// A stream, whatever carries it.
pub type ByteStream = Box<dyn Duplex>;
