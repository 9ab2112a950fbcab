using System.Globalization;
using System.Numerics;
using System.Security.Cryptography;

namespace TemporalCodec;

/// <summary>
/// The signature of a message: ECDSA on P-384 over SHA-384. Its public key is a compressed point, which .NET does not read,
/// so the other coordinate is computed here. Specification: data-format/message-footer.md; the curve is of SEC 2 and FIPS 186.
/// </summary>
internal static class P384
{
    private const int Coordinate = 48;

    private static readonly BigInteger Prime = Hex(
        "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000ffffffff");

    private static readonly BigInteger B = Hex(
        "b3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aef");

    /// <summary>Whether a signature is of these bytes, under a public key in base64.</summary>
    public static bool Verify(string publicKey, ReadOnlySpan<byte> bytes, byte[] signature)
    {
        var point = new byte[1 + Coordinate];
        if (!Convert.TryFromBase64String(publicKey, point, out var length) || length != point.Length) return false;
        if (Decompressed(point) is not { } whole) return false;
        using var key = ECDsa.Create(new ECParameters { Curve = ECCurve.NamedCurves.nistP384, Q = whole });
        return key.VerifyHash(SHA384.HashData(bytes), signature, DSASignatureFormat.Rfc3279DerSequence);
    }

    /// <summary>The point on y² = x³ - 3x + b whose y is even or odd, as the first byte says; null where there is none.</summary>
    private static ECPoint? Decompressed(byte[] point)
    {
        if (point[0] is not (2 or 3)) return null;
        var x = new BigInteger(point.AsSpan(1), isUnsigned: true, isBigEndian: true);
        if (x >= Prime) return null;
        var square = ((BigInteger.ModPow(x, 3, Prime) - (3 * x) + B) % Prime + Prime) % Prime;
        // A square root, since the prime is 3 modulo 4.
        var y = BigInteger.ModPow(square, (Prime + 1) / 4, Prime);
        if (BigInteger.ModPow(y, 2, Prime) != square) return null;
        if (y.IsEven != (point[0] == 2)) y = Prime - y;
        return new ECPoint { X = point[1..], Y = Fixed(y) };
    }

    private static byte[] Fixed(BigInteger value)
    {
        var bytes = value.ToByteArray(isUnsigned: true, isBigEndian: true);
        var padded = new byte[Coordinate];
        bytes.CopyTo(padded, Coordinate - bytes.Length);
        return padded;
    }

    private static BigInteger Hex(string digits) =>
        BigInteger.Parse("0" + digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
}
