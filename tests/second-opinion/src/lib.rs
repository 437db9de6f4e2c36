//! tests/second-opinion
