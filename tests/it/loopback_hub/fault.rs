//! What can go wrong at the Hub of these tests.

/// Something that goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The API answers with this status.
    ApiStatus(u16),
    /// The API accepts the connection and says nothing.
    ApiSilent,
    /// The API's answer is a login page.
    ApiPage,
    /// The API's answer has no end.
    ApiEndless,
    /// The API sends somewhere else, as `BlobRedirect` does.
    ApiRedirect(&'static str),
    /// The list of files has page after page.
    ApiPages,
    /// The headers of an answer of the API have no end.
    ApiHeaders,
    /// A large file is announced with another size.
    SizeLie(u64),
    /// A large file is announced with something that is no digest.
    EtagLie,
    /// The question for a file's headers sends somewhere else, as `BlobRedirect` does.
    HeadRedirect(&'static str),
    /// The question for a file's headers is answered with this status.
    HeadStatus(u16),
    /// The bytes are answered with this status and a few words.
    BlobStatus(u16),
    /// The bytes are answered with 429 and `Retry-After: 1`.
    BlobLater,
    /// As many bytes as announced, all of them wrong.
    BlobGarbage,
    /// A web page in place of the bytes, with status 200.
    BlobPage,
    /// Half of the bytes, then the connection is closed.
    BlobCut,
    /// Half of the bytes, then silence.
    BlobStalls,
    /// The headers of the bytes, then silence.
    BlobSilent,
    /// The bytes come in pieces, with pauses between.
    BlobSlow,
    /// More bytes come than were announced, without end.
    BlobEndless,
    /// An error whose page has no end.
    BlobErrorEndless,
    /// The bytes are somewhere else: at this address, or, where it is empty, at the one that was asked.
    BlobRedirect(&'static str),
    /// A range is answered with the whole file.
    BlobWhole,
    /// A range is answered with as many bytes of the file's beginning.
    RangeElsewhere,
    /// A range is answered with a byte more.
    RangeLonger,
    /// The CDN refuses an address, as it does when its signature has expired.
    AddressExpired,
}
