namespace Temper.Formats.Gguf;

/// <summary>Block length and bytes of the element types of ggml.</summary>
internal static class GgufElement
{
    public const int Count = 43;

    /// <summary>Items per block and bytes per block; (0, 0) for removed types, (1, 0) for ones of unknown layout.</summary>
    public static (int Items, int Bytes) Block(int type) => type switch
    {
        0 or 26 => (1, 4),
        1 or 25 or 30 => (1, 2),
        24 => (1, 1),
        27 or 28 => (1, 8),
        2 or 20 => (32, 18),
        3 => (32, 20),
        6 => (32, 22),
        7 => (32, 24),
        8 => (32, 34),
        9 => (32, 36),
        10 => (256, 84),
        11 or 21 => (256, 110),
        12 => (256, 144),
        13 => (256, 176),
        14 => (256, 210),
        15 => (256, 292),
        16 or 35 => (256, 66),
        17 => (256, 74),
        18 => (256, 98),
        19 => (256, 50),
        22 => (256, 82),
        23 => (256, 136),
        29 => (256, 56),
        34 => (256, 54),
        39 => (32, 17),
        40 => (64, 36),
        41 or 42 => (1, 0),
        _ => (0, 0),
    };
}
