"""Open English WordNet, the edition of 2025: its files, where they come from, and what they must hold.

Source: McCrae et al. (2019), https://aclanthology.org/2019.gwc-1.31. Licence: CC BY 4.0, and that of the
Princeton WordNet, which it is derived from. https://github.com/globalwordnet/english-wordnet
"""

from __future__ import annotations

from studylib.downloads import File

FOLDER = "open-english-wordnet/yaml"
HOME = (
    "https://raw.githubusercontent.com/globalwordnet/english-wordnet"
    "/dc343f2683279ecbb13fab4e2fd778d7b162d287/src/yaml"
)
SOURCE = "McCrae et al. (2019), https://aclanthology.org/2019.gwc-1.31, edition of 2025, https://en-word.net"
ATTRIBUTION = (
    "synonyms: Open English WordNet 2025, https://en-word.net, licensed under CC BY 4.0,"
    " https://creativecommons.org/licenses/by/4.0/, derived from Princeton WordNet; here cut down to a table"
)
LICENCE = "CC BY 4.0, and the licence of the Princeton WordNet"


def _file(name: str, size: int, sha256: str) -> File:
    return File(f"{FOLDER}/{name}", f"{HOME}/{name}", sha256, size)


WORDNET_2025 = (
    _file("adj.all.yaml", 3333131, "aeaf812c01f55cac17f1de2b8968047caecc985f9d43abb5d3464474e1c61869"),
    _file("adj.pert.yaml", 602887, "020c569719e9b5b10501fa454d556c90db5f48578bc8605ddc520af1edee1e1f"),
    _file("adj.ppl.yaml", 10127, "1d01d4de301407c7bf1dcbde1c02e01ad22fef1a9be086d3812afeddf162f684"),
    _file("adv.all.yaml", 675035, "263f395225c4d9ca8588b7772b4314acb9095dc1c426fa269ffef3840894dbdb"),
    _file("noun.Tops.yaml", 11677, "184b94b35eaa1d3b2421ff4caaf2d926d55242e34077a69398e76dcee4f0b447"),
    _file("noun.act.yaml", 1419977, "7072653fc940511beea7ea73a1ca7845172946088f4805553a721477e3867818"),
    _file("noun.animal.yaml", 1007276, "e45e05e1079f47f410ecacb3ff7a01a41f8b35b69de488863d8066fc12fc4f0d"),
    _file("noun.artifact.yaml", 2519313, "1a09ce8b27cd9c91ac9ec0944fd0326c5f26574db1ecdfaa6a5bc2c1e617cf96"),
    _file("noun.attribute.yaml", 736865, "f66e6936dfbbe07550764c59753e5e00cc8c762eee010c80a6419683e4a09f27"),
    _file("noun.body.yaml", 466319, "1a764c95bf274c244bc4044c4866e215b4fe9a8aaf60d6eac9a016eb3d3832cc"),
    _file("noun.cognition.yaml", 763625, "e5e5569bfca3dcf6307f63c9b4026c4ddbde14dd03c0b062b778a6eb85cef634"),
    _file(
        "noun.communication.yaml", 1290271, "01e0327b757d51bb16473ecd15a5abaa21c833c5e5c92253c4ab52d90ae8ae0d"
    ),
    _file("noun.event.yaml", 227498, "e5b6a03636fcd23108f718f5f1f609eb9c117249f4bdb827907294e70e9ff1c1"),
    _file("noun.feeling.yaml", 84715, "d5fb573f2095059cf581865a602541a19738bb8db63da4dbb63fb0e0006fd5e3"),
    _file("noun.food.yaml", 503122, "280089ff57ea13e53581c10e10812f4c08afda4639023e65f4e84770ae75e6c7"),
    _file("noun.group.yaml", 604728, "f14929df3f9e0c7d0846066bb70e1178ee0cdd67712303ce7a331c02f55f6eee"),
    _file("noun.location.yaml", 185580, "21dd7ec34058165caff2ccdb4a7bd9421baa0eb53a97820a0d9aaa8772130ef0"),
    _file("noun.motive.yaml", 8683, "52adf22add35f822da40f1392e3b329f7254d6e6b697aeaaff8d2ba716bd6d90"),
    _file("noun.object.yaml", 166237, "8b986671dbba5f098ee51fe29e2496a741f865e056bb70daa8e38c4a082b98f4"),
    _file("noun.person.yaml", 1506570, "f00a116b752f83d2e837e864d26e0173181dae065c76f0053e30010f5f204e0c"),
    _file("noun.phenomenon.yaml", 149386, "121d4b10370f75bcfce95c25b8221adc7fbca09fdcd68a573c284250ab493603"),
    _file("noun.plant.yaml", 1445400, "7cdd184cc45ad7d940c7abed7dc69c6347b4df74fcff0165014ec30f3165acd1"),
    _file("noun.possession.yaml", 245847, "a64aa6af264d72eaa204b3e02d42aff5a01923dc49b24c296b70eab4a956b7d2"),
    _file("noun.process.yaml", 186983, "103575cb13c93bd83fe5bb05385de82e6517889319bf1d72bb86e82a0f7feb99"),
    _file("noun.quantity.yaml", 277681, "ebd258de24b4669ce475ee34d8a1f98d66535ba33b27d3fc2a5115e733fcc11e"),
    _file("noun.relation.yaml", 104982, "816e378bb833516014e950f80865c760c8a01102af398053ba2845f61feaa9c2"),
    _file("noun.shape.yaml", 78468, "dab51d387e52c5489d2cc16327d49f98333eff22189775ff7ff6e6ce054e9a74"),
    _file("noun.state.yaml", 803771, "eb0c6194cfd8f8905efd3e2fbcdb4793701fbbaf790ba0b9499f47061ceaf70a"),
    _file("noun.substance.yaml", 699739, "811435e2a317cebcd132a8f6126c1761880e2ecd94bde80a06bc8ff7cd33b81c"),
    _file("noun.time.yaml", 218991, "aaaba07908d8910bc69a846979afff96920c2fd6604aa45ce0153a3707c192ee"),
    _file("verb.body.yaml", 112938, "a909d70d60e7fee3e51e1a1b8093aa58d19b25eb8374e1c547d9459067079a16"),
    _file("verb.change.yaml", 501176, "4d6d6088702c9a04452d6dcc2884acb3b39da49f9e50091d907d885ba925c8da"),
    _file("verb.cognition.yaml", 154628, "908c5b4d1fcd079b8ad9d7c97ecbfda7f7b29975c8f394b4abdfe9552873cc7c"),
    _file(
        "verb.communication.yaml", 332405, "2cec41a4eb96cb12a5fc9e7c1fdc48f971ffe1e4d3ac9ea20f0afb3d282ab525"
    ),
    _file("verb.competition.yaml", 91196, "3bdd97919eddbcf4493999d46b981fe4be088beb3a06e49fd1f95de82f91d824"),
    _file("verb.consumption.yaml", 51753, "005042d49b86fd740ec776144b9bfff4e5236c4f856bc89d2cd8b810d0755b07"),
    _file("verb.contact.yaml", 431800, "1a3fca272e4185f27690e05bb82fec64ad37f198ce37ec913bc436a4d13d9419"),
    _file("verb.creation.yaml", 147217, "ee93714a0ab76cc1cdc38c44c31e8a52ed5274395167c62e45247b2fc2713987"),
    _file("verb.emotion.yaml", 73707, "3c731bf49e4dcd48625de2b057352586e659ad737f5f073c117412641cdccb72"),
    _file("verb.motion.yaml", 288006, "18540f14b331298b7a8e14c8b2b3d9a280609a31cbf64919b381c9aeeb44680e"),
    _file("verb.perception.yaml", 97625, "6cbe7c7e87490cf5541425fd11381d6556140d6959dcb8a4442a4dddd0bfb1c5"),
    _file("verb.possession.yaml", 176597, "caa289e93798b0f92e62705aea62227deff92629db24478017cb505479dfc500"),
    _file("verb.social.yaml", 242940, "d0bc7620c30305592d0f8cf77e4119ab1cf12fcee93f4269341df017acdb4895"),
    _file("verb.stative.yaml", 166375, "04a7c3cc3f4d3b1585b11fa00c6574f4162063328f5f652b867e3a48ff35d346"),
    _file("verb.weather.yaml", 17135, "50853e0c2c60dae522b6e078cb39fa226d8026f8a7b350f0efe172ce6f9b3b47"),
)
