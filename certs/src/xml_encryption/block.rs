//! The block ciphers as XML Encryption frames them: GCM with a 12-octet IV before and a 16-octet tag after (section 5.2.4), CBC with the IV
//! as first block and padding whose last octet says its length (sections 5.2 and 5.2.2).

use aws_lc_rs::{
    aead::{Aad, LessSafeKey, MAX_TAG_LEN, NONCE_LEN, Nonce, UnboundKey},
    cipher::{
        DecryptingKey, DecryptionContext, EncryptionContext, PaddedBlockEncryptingKey, UnboundCipherKey,
    },
    iv::{FixedLength, IV_LEN_128_BIT},
    rand::{SecureRandom as _, SystemRandom},
};
use subtle::{Choice, ConditionallySelectable as _, ConstantTimeGreater as _};
use zeroize::Zeroizing;

use super::{BlockCipher, Covered};

const BLOCK: usize = 16;

/// What came out of a cipher.
pub(super) struct Opened {
    octets: Zeroizing<Vec<u8>>,
    length: usize,
    whole: Choice,
}

impl Opened {
    /// The plaintext, or what stands in its place.
    pub(super) fn octets(&self) -> &[u8] {
        self.octets.get(..self.length).unwrap_or_default()
    }

    /// Whether the cipher's own frame held. To be asked last, after the octets were read.
    pub(super) fn is_whole(&self) -> bool {
        bool::from(self.whole)
    }
}

/// `None`: too short, or the tag does not hold.
pub(super) fn open_gcm(cipher: BlockCipher, key: &[u8], octets: &[u8]) -> Option<Opened> {
    let (nonce, sealed) = octets.split_at_checked(NONCE_LEN)?;
    if sealed.len() < MAX_TAG_LEN {
        return None;
    }
    let key = LessSafeKey::new(UnboundKey::new(cipher.gcm()?, key).ok()?);
    let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
    let mut octets = Zeroizing::new(sealed.to_vec());
    let length = key.open_in_place(nonce, Aad::empty(), &mut octets).ok()?.len();
    Some(Opened { octets, length, whole: Choice::from(1) })
}

/// Needs proof that the ciphertext was signed. `None`: not whole blocks, which anybody can see from outside. Whether the padding held
/// is not told before what came out has been read.
pub(super) fn open_cbc(_signed: Covered, cipher: BlockCipher, key: &[u8], octets: &[u8]) -> Option<Opened> {
    let (iv, blocks) = octets.split_at_checked(IV_LEN_128_BIT)?;
    if blocks.is_empty() || !blocks.len().is_multiple_of(BLOCK) {
        return None;
    }
    let key = DecryptingKey::cbc(UnboundCipherKey::new(cipher.cbc()?, key).ok()?).ok()?;
    let context = DecryptionContext::Iv128(FixedLength::try_from(iv).ok()?);
    let mut octets = Zeroizing::new(blocks.to_vec());
    key.decrypt(&mut octets, context).ok()?;
    let padding = octets.last().copied()?;
    let whole = padding.ct_gt(&0) & !padding.ct_gt(&16);
    // Where the padding is none, one octet is taken off, so that as much is read as with any other.
    let taken = u8::conditional_select(&1, &padding, whole);
    let length = octets.len().saturating_sub(usize::from(taken));
    Some(Opened { octets, length, whole })
}

/// IV, ciphertext and tag (or padding), as they stand in `CipherValue`. `None`: the system has no random numbers, or the key is of
/// another length.
pub(super) fn seal(cipher: BlockCipher, key: &[u8], plaintext: &[u8]) -> Option<Vec<u8>> {
    let mut octets = plaintext.to_vec();
    if let Some(algorithm) = cipher.gcm() {
        let mut iv = [0; NONCE_LEN];
        SystemRandom::new().fill(&mut iv).ok()?;
        let key = LessSafeKey::new(UnboundKey::new(algorithm, key).ok()?);
        key.seal_in_place_append_tag(Nonce::assume_unique_for_key(iv), Aad::empty(), &mut octets).ok()?;
        return Some([iv.as_slice(), &octets].concat());
    }
    let key = PaddedBlockEncryptingKey::cbc_pkcs7(UnboundCipherKey::new(cipher.cbc()?, key).ok()?).ok()?;
    let mut iv = [0; IV_LEN_128_BIT];
    SystemRandom::new().fill(&mut iv).ok()?;
    key.less_safe_encrypt(&mut octets, EncryptionContext::Iv128(FixedLength::from(iv))).ok()?;
    Some([iv.as_slice(), &octets].concat())
}
