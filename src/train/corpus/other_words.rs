//! The words that stand in no relation table.

/// Words by kind, separated by single spaces.
pub(super) const OTHER: &[&str] = &[
    // Articles, pronouns, question words and other small words.
    "a about across after again ago all alone along also always an and any around as at away back because before",
    "behind beside between both but by down each enough every everyone far for from half here how i if in inside",
    "into it its later left many me mine more much my near never next no nobody not nothing now of on once only or",
    "other others our out over right since so some someone something soon suddenly than that the their them",
    "then there these they this through to today together too under until up us very we what when where which who",
    "whole why with without yes yesterday you your yours",
    // Forms of to be, to have, to do, and the helping verbs.
    "am are be been can could did do does had has have is let must was were will would",
    // Verbs.
    "answer answered asked baked began born bought bring broke brought build built buy call called came carried",
    "carry catch caught cleaned come comes count counted cried crown cry cut dropped eaten fell filled find flew",
    "followed forget found get go goes gone got grow guard hangs heard help helped helps hit hung hunt hunted kept knew",
    "know knows lay learned liked likes listen listened live lived lives look looked lost loved made marry met move need",
    "needed needs opened owned plant planted post prayed put question rain rained read rule ruled said sail sailed",
    "say says see seen sent shared shone shoot shot showed smile smiled sold speak spell spelled spoke stayed stood",
    "stopped take talk talked taught thank thanked thought tie tied told took turned understand visited want wanted",
    "wants washed waved went win wish woke won work worked works",
    // People, groups and roles without a second form.
    "animal army child children city dragon family fish fly friend friends guests kings parents parrot people",
    "servants soldier soldiers team teams thief traveller wolf world",
    // Adjectives.
    "afraid angry awake best better brave broken burning clear clever dark dear great grown heavy higher highest",
    "hungry little loud magic married new pretty proud quiet same second sick thin third tired warm well wooden",
    "wrong",
    // Ambiguous words.
    "bank bark bat bow letter light match ring spring wave",
    // Times and seasons.
    "autumn birthday day days evening morning night noon summer time times week winter year years",
    // Things, places and the rest.
    "arrow arrows bag ball beach bell blood bread bridge cake cakes capital castle church cloister coal coat colour",
    "country door ears earth fair feast feet fence fields finger fire forest game gift gold goodbye grass hair hand",
    "hands head held hill hole home houses island joke lake land language leaf leaves lemon list long luck map market",
    "milk mill money mountain music name named noise number opposite palace paper park pen picture pots race ribbon",
    "river road room sea seeds ships side sign sky smoke snow song soup speaks spells stage stories storm street",
    "sun sword table tables theatre throne tower town village villages wall water way wedding wind window wings",
    "wood word words",
];
