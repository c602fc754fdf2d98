/* names.c - names for instances whose user gave none: an adjective and a kind of boat */
#include "engine/names.h"

#include "base/auto.h"
#include "base/buf.h"

static const char *const adjectives[] = {
	"able",	  "agile", "amber",  "ample", "bold",	"brave", "bright", "brisk", "calm",  "clear",
	"clever", "cool",  "crisp",  "deft",  "eager",	"early", "fair",   "fast",  "fine",  "firm",
	"fleet",  "fresh", "gentle", "glad",  "good",	"grand", "hale",   "handy", "happy", "honest",
	"jolly",  "keen",  "kind",   "light", "lively", "loyal", "lucky",  "merry", "neat",  "nimble",
	"noble",  "plain", "proud",  "quick", "quiet",	"ready", "sharp",  "shiny", "sleek", "smart",
	"solid",  "sound", "steady", "still", "strong", "sunny", "swift",  "tidy",  "trim",  "trusty",
	"vivid",  "warm",  "wise",   "witty",
};
static const char *const boats[] = {
	"barge",   "bark",     "brig",	  "canoe",    "caravel",  "carrack", "catboat", "clipper", "cog",
	"coracle", "corvette", "cutter",  "dhow",     "dinghy",	  "dory",    "felucca", "ferry",   "frigate",
	"galley",  "galleon",  "gondola", "hooker",   "hoy",	  "jolly",   "junk",	"kayak",   "ketch",
	"knarr",   "launch",   "lighter", "longboat", "lugger",	  "pinnace", "pirogue", "pram",	   "proa",
	"punt",	   "raft",     "sampan",  "schooner", "scow",	  "shallop", "skiff",	"sloop",   "smack",
	"tartane", "tender",   "tjalk",	  "trawler",  "trimaran", "tug",     "umiak",	"wherry",  "whaler",
	"xebec",   "yacht",    "yawl",	  "zebec",
};

char *name_make(unsigned random, unsigned round)
{
	const char *a = adjectives[random % ARRAY_LEN(adjectives)];
	const char *b = boats[random / ARRAY_LEN(adjectives) % ARRAY_LEN(boats)];

	return round ? str_printf("%s_%s%u", a, b, round) : str_printf("%s_%s", a, b);
}
