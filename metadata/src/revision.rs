//! STUB
use broker_core::moment::Timestamp; use certs::mac::MacKey;
#[derive(Debug)] pub struct Head { pub number: u64, pub manifest: String, pub at: Timestamp }
impl Head { pub fn open(_: &[u8], _: &MacKey) -> Result<Self, String> { Err("stub".into()) } }
#[derive(Debug, Clone, Default)] pub struct Manifest;
impl Manifest { pub fn read(_: &[u8]) -> Result<Self, String> { Err("stub".into()) } pub fn write(&self) -> Vec<u8> { vec![] } pub fn documents(&self) -> impl Iterator<Item=&str> { std::iter::empty() } }
impl crate::Registry { pub fn build(_: u64, _: &Manifest, _: &std::collections::HashMap<String, Vec<u8>>, _: Option<&Self>, _: Timestamp) -> Result<Self, String> { Err("stub".into()) } }
