//! What is installed on a host, and whether a zone may attach there.
