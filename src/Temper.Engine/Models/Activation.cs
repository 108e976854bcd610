using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Temper.Engine.Models;

/// <summary>The nonlinearity of an MLP; transformers has several names for some.</summary>
public enum Activation { GeluTanh, Gelu, Relu, Silu }

internal static class ActivationFunctions
{
    public static Tensor Apply(this Activation activation, Tensor x) => activation switch
    {
        Activation.Gelu => F.gelu(x),
        Activation.Relu => F.relu(x),
        Activation.Silu => F.silu(x),
        _ => 0.5 * x * (1 + ((x + 0.044715 * x * x * x) * Math.Sqrt(2 / Math.PI)).tanh()),
    };

    public static Activation Read(ConfigReader fields, string field, string fallback) => fields.Text(field, fallback) switch
    {
        "gelu_new" or "gelu_pytorch_tanh" or "gelu_fast" => Activation.GeluTanh,
        "gelu" => Activation.Gelu,
        "relu" => Activation.Relu,
        "silu" or "swish" => Activation.Silu,
        var other => throw fields.Error(field, $"\"{other}\"", "one of: gelu, gelu_fast, gelu_new, gelu_pytorch_tanh, relu, silu, swish"),
    };

    public static string Name(Activation activation) => activation switch { Activation.Gelu => "gelu", Activation.Relu => "relu", Activation.Silu => "silu", _ => "gelu_new" };
}
