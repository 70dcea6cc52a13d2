//! One good signature of each algorithm that a gateway may verify for us, by keys that were thrown
//! away.

use crate::token::algorithm::Algorithm;

/// A key, and what it signed [`MESSAGE`] with.
pub(super) struct Vector {
    /// The algorithm.
    pub(super) algorithm: Algorithm,
    /// The key, as a JWK.
    pub(super) key: &'static str,
    /// The signature, in base64url.
    pub(super) signature: &'static str,
}

/// What was signed.
pub(super) const MESSAGE: &[u8] = b"databricks-oam-filter";

pub(super) const ALL: [Vector; 5] = [
    Vector {
        algorithm: Algorithm::Rs256,
        key: RSA,
        signature: "JrNKG5Z3jM_Y6-rom0M3KEwunO-mfZz7BCdAP_t3Z7WmZ0Xv9BkYZ-RWgtE0LqzU79xZromHj_o1hPRbDDxZGuqOn4umZnKK05otOxf4Vr25zVbMvMnUDvExW_0F1jJqFFxJd1thcnVcsrUu4wS44hzLcdl43O5WTimy9U8zRoPVQWSvty9nck9cmPTHaOu1h4WK2LpgqBRdfaBZ34I7IePYdI1Wr1ifbwjDn5jw-zDq0UuGl0e3Svf6xDvOVm6CZxfsEFS0ij-sxVUYFUkZdYDzbnksNkhMCfJ6cFHMs__CZJPzkvphG35JoJlLybbCyuftsra2K9dYINwYGX_qrA",
    },
    Vector {
        algorithm: Algorithm::Rs384,
        key: RSA,
        signature: "XtUvRM5FEswTO55SMCp4WXbSw67BnzLI2CiKjMGG5bvVwF3WFff5ceLMWUwhvuIlKVsQwPNWOTvUzvrFu2qqbluNxDvW7PTa62JwddgxpGkSNdrJ4-k1dk3d2MbTnCZbYHiwmgtVhu6qPzxT3YHE-2HsSbrOokorc8wvgSjVM788oVHglXQGfbqOFHYIyVQd3UfYr9iVfnxUOs8zg3IZskuP-1BkrOxhrTQQLz6c7JEMmLuTLKxgWiNHRUpnfVOpLXEC-DG1nbG90LcOFsT0z62WgXAqfzXxc16fjakeHv3yvKV_1x7BYfiBNqzIez1MfQfV08IOldl4J_AjwtEj3g",
    },
    Vector {
        algorithm: Algorithm::Rs512,
        key: RSA,
        signature: "DFW3oEe9EUztKCTQdbsi8t60cAeTZsbil8tD6jbWJiItEMJQumeZsZZ7pRKcfPyxOT60tK7g0tU4YvowHhFWVPeuxzVLEAFSI3dmQ1aPTuf557BnOsnhOjIeVHw0o2lTV_S1xd-iRHMR5hoZjo-RCtHJK403Ui34X3YK9NGpUW_PQBZ3h-iMkuZ0vnlSVmbo4fSXUd9dOJvk3vTo8eiKcmr5DOg9KJn3m71KKyE26RoWj0YQCEmKHnbNoD3ULDFYt3KRgn4LkytQmSIO2rWOUvcYcBV99UbxgJKFfYJkcBQ6BOIsNe9QlC2QxVyRXC9lUhjrS5By21VgG42a53o2vg",
    },
    Vector {
        algorithm: Algorithm::Es256,
        key: r#"{"kty":"EC","crv":"P-256","x":"dvaUPo2jIVPh4cD891O_bCY564ZmC--fWdOB1zdEsOo","y":"SWetHBA8EhcWo31tDJvT--gSFh2b1mZ3T25IHII--40"}"#,
        signature: "XLOa8Ar7Hp2MN0OJz5m1KD9uiyhrWCb_c0_OjIMvap4PpdsygFF-1_38rueGnvVn5rcOM9jE5g82b41TYrrolw",
    },
    Vector {
        algorithm: Algorithm::Es384,
        key: r#"{"kty":"EC","crv":"P-384","x":"6lSflFXrWk_ihFbHHVzFV3ODXi4a9wZ56k57PvlXr4FxNVQBr7Ru-fmApKJLIrY6","y":"DWEKVsGjt_t8PzehntSuhVl3cGmlbIVobjlEIA6DhAUxYclOMDpr4gkOrnvwlkME"}"#,
        signature: "BjYk3L5q4110WrJD9foyUuZm5hxNA_FQFcFkBRvMlHT9B6HaOk2bGec1zWvB48oZomVASihugj7MqWnAK0QPaLn1xB5tf4jH_z24B-67uw4QyFsjlc_yFPKlJKiTcspD",
    },
];

const RSA: &str = r#"{"kty":"RSA","n":"sNaKfuoTvP25DgwkEGby5nzRnj6zyvAHg2sP9r1vnd3SDUqeGfRoCMQWRW061nZu-mHpEbU4e6zPXNXsdLfwkd90xh0PH1hjsDsAT5T-mydW_IwnXLaKaaxtRbRKmrGSnekcosYy3MmpE1MR_V1Ce-mMHbj3hWcCc2H1JLpOTDdln_JUUgNY9oq30NSutbvQ_EAW4PpR2I4LuRuYrSJngfVgGU6_YfBsOPaZVFGErENeifbHPOUJpGk-MdjWuHlkvJPA2QRBlfH1ONUiFoBgVAKJXIhHGk9XA7sC78UhQBpDK_fJX87l7sxSRH7CoFfBz1TEi7pHsHVMVbDt4YBkuQ","e":"AQAB"}"#;
