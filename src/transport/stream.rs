//! Byte streams, independent of their transport.

use tokio::io::{AsyncRead, AsyncWrite};

/// An authenticated byte stream.
pub trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// A byte stream over any transport.
pub type ByteStream = Box<dyn Duplex>;
