const words = (list: string): readonly string[] => list.trim().split(/\s+/);

export const ADVERBS = words(`
  boldly bravely brightly briskly broadly calmly carefully cheerfully cleanly clearly closely constantly
  daily dearly deeply deftly eagerly early easily evenly exactly fairly finely firmly fondly formerly freely
  freshly fully gently gladly globally gracefully greatly happily heartily highly honestly humbly ideally
  jointly justly keenly kindly lately legibly lightly likely locally loosely loudly loyally lucidly mainly
  merrily mildly mostly mutually namely nearly neatly newly nicely nimbly notably openly orderly partly
  patiently plainly politely precisely promptly properly proudly purely quickly quietly rapidly readily really
  richly rightly safely secretly shortly silently simply sincerely slowly smoothly softly solely soundly
  steadily strongly surely swiftly tenderly thankfully tidily truly usually vastly warmly wholly widely wisely
`);

export const ADJECTIVES = words(`
  able active agile airy alert amber ample apt arctic artful azure balmy basic bold brave brief bright brisk
  broad bronze calm candid careful casual cedar certain chief civil clean clear clever close coastal cool
  copper coral cosmic cosy crisp curious daring dashing deep deft direct eager early earnest easy elastic
  elegant eminent epic equal even exact expert fair famous fast festive fine firm first fit fleet fluent fond
  frank free fresh frosty full gallant generous gentle genuine glad gleaming golden grand great green handy
  happy hardy hearty helpful honest humble ideal indigo ivory jolly jovial just keen kind large lasting level
  light likely lively local loyal lucid lucky lunar magic main major mellow merry mighty mild mint modern
  modest moral musical native natural neat nimble noble normal novel open optimal orderly patient pearl placid
  plain pleasant polar polite precise premium prime prompt proper proud pure quick quiet rapid rare ready
  regular relaxed rich robust rosy royal rustic safe sage serene sharp silent silver simple sincere smart
  smooth snowy social soft solar solid sonic spare square stable steady stellar still strong sturdy sunny
  super sure swift tender tidy timely top tough tranquil true trusty upright usable valid valued vast verbal
  vital vivid warm welcome whole wide wise witty worthy young zesty
`);

export const ANIMALS = words(`
  aardvark albatross alpaca anchovy ant antelope armadillo badger barnacle bat beagle bear beaver bee beetle
  bison boar bobcat buffalo bunting butterfly camel canary capybara caribou carp cat catfish cheetah chicken
  chinchilla chipmunk cicada clam cobra cockatoo cod condor coot coral cougar cow coyote crab crane cricket
  crow cuckoo curlew deer dingo dodo dog dolphin donkey dove dragonfly duck dunlin eagle eel egret elephant
  elk emu ermine falcon fawn ferret finch firefly fish flamingo fox frog gannet gazelle gecko gerbil gibbon
  giraffe gnu goat goose gopher goshawk grebe griffin grouse gull guppy haddock hamster hare hawk hedgehog
  hen heron herring hippo hornet horse hound ibex ibis iguana impala jackal jaguar jay kangaroo kestrel kite
  kitten kiwi koala lamb lapwing lark lemming lemur leopard lion lizard llama lobster loon lynx macaw mackerel
  magpie mallard mammoth manatee mantis marlin marmot marten martin meerkat mink minnow mole mongoose monkey
  moose moth mouse mule muskrat narwhal newt nightingale ocelot octopus okapi opossum orca oriole osprey
  ostrich otter owl ox oyster panda panther parrot partridge peacock pelican penguin perch pheasant pig pigeon
  pike plover polecat pony possum prawn puffin puma puppy quail quokka rabbit raccoon ram raven ray redfish
  reindeer rhino robin rook salmon sandpiper sardine seahorse seal shark sheep shrew shrimp skylark sloth snail
  snipe sole sparrow spider squid squirrel starfish starling stingray stoat stork sturgeon sunfish swallow
  swan swift tapir tarpon tern terrier thrush tiger toad tortoise toucan trout tuna turkey turtle viper vole
  vulture wallaby walrus warbler wasp weasel whale wildcat wolf wombat woodcock wren yak zander zebra
`);
