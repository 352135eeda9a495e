// Kubelab is a whole Kubernetes control plane in one process, for tests: etcd, kube-apiserver,
// controller-manager and scheduler, with kwok playing one node and its pods by stages.yaml.
//
// It listens on loopback, keeps everything in a temporary folder, prints one JSON line when it is
// ready and ends when its standard input does, so that it never outlives the test that started it.
package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	_ "embed"
	"encoding/json"
	"encoding/pem"
	"flag"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"go.etcd.io/etcd/server/v3/embed"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	cliflag "k8s.io/component-base/cli/flag"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	apiserveroptions "k8s.io/kubernetes/cmd/kube-apiserver/app/options"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	scheduleroptions "k8s.io/kubernetes/cmd/kube-scheduler/app/options"
	kwokconfig "sigs.k8s.io/kwok/pkg/config"
	kwok "sigs.k8s.io/kwok/pkg/kwok/cmd"
)

//go:embed stages.yaml
var stages []byte

const nodeName = "kubelab"

func main() {
	port := flag.Int("port", 0, "loopback port of the API server; 0 takes a free one")
	flag.Parse()
	data := try(os.MkdirTemp("", "kubelab-"))
	end := func(code int) {
		os.RemoveAll(data)
		os.Exit(code)
	}
	// Ctrl-C reaches the whole terminal; the tests stop first and then us.
	signal.Ignore(os.Interrupt)
	go func() {
		io.Copy(io.Discard, os.Stdin)
		end(0)
	}()
	go func() {
		terminated := make(chan os.Signal, 1)
		signal.Notify(terminated, syscall.SIGTERM, syscall.SIGHUP)
		<-terminated
		end(0)
	}()
	ctx := context.Background()
	lab := &lab{data: data, kubeconfig: filepath.Join(data, "kubeconfig"), fail: func(part string, err error) {
		fmt.Fprintf(os.Stderr, "kubelab: %s ended: %v\n", part, err)
		end(1)
	}}
	lab.startAPIServer(ctx, lab.startEtcd(), try(net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", *port))))
	client := lab.awaitAPIServer(ctx)
	lab.startControllerManager(ctx)
	lab.startScheduler(ctx)
	lab.startKwok(ctx)
	lab.awaitNode(ctx, client)
	line := try(json.Marshal(map[string]any{"kubeconfig": lab.kubeconfig, "server": lab.server, "pid": os.Getpid()}))
	fmt.Println(string(line))
	select {}
}

type lab struct {
	data, kubeconfig, server string
	fail                     func(part string, err error)
}

func (l *lab) startEtcd() string {
	config := embed.NewConfig()
	anyPort := url.URL{Scheme: "http", Host: "127.0.0.1:0"}
	config.Dir = filepath.Join(l.data, "etcd")
	config.ListenClientUrls, config.AdvertiseClientUrls = []url.URL{anyPort}, []url.URL{anyPort}
	config.ListenPeerUrls, config.AdvertisePeerUrls = []url.URL{anyPort}, []url.URL{anyPort}
	config.InitialCluster = config.InitialClusterFromName(config.Name)
	config.EnableGRPCGateway = false
	config.UnsafeNoFsync = true
	config.LogLevel = "error"
	etcd := try(embed.StartEtcd(config))
	<-etcd.Server.ReadyNotify()
	return "http://" + etcd.Clients[0].Addr().String()
}

func (l *lab) startAPIServer(ctx context.Context, etcd string, listener net.Listener) {
	l.server = "https://" + listener.Addr().String()
	key := l.write("service-accounts.pem", ecKey())
	// A token of the administrators' group, as no certificate has to be made for it.
	token := fmt.Sprintf("%x", try(io.ReadAll(io.LimitReader(rand.Reader, 24))))
	options := apiserveroptions.NewServerRunOptions()
	options.SecureServing.Listener = listener
	parse(options.Flags(),
		"--etcd-servers="+etcd,
		"--cert-dir="+filepath.Join(l.data, "certificates"),
		"--bind-address=127.0.0.1",
		"--endpoint-reconciler-type=none",
		"--service-cluster-ip-range=10.96.0.0/16",
		"--service-account-issuer=https://kubelab.test",
		"--service-account-key-file="+key,
		"--service-account-signing-key-file="+key,
		"--authorization-mode=RBAC",
		"--token-auth-file="+l.write("tokens.csv", []byte(token+",admin,admin,system:masters\n")),
	)
	must(options.GenericServerRunOptions.ComponentGlobalsRegistry.Set())
	completed := try(options.Complete(ctx))
	for _, err := range completed.Validate() {
		l.fail("kube-apiserver", err)
	}
	go func() { l.fail("kube-apiserver", apiserver.Run(ctx, completed)) }()
	l.writeKubeconfig(token)
}

func (l *lab) writeKubeconfig(token string) {
	config := clientcmdapi.NewConfig()
	config.Clusters["kubelab"] = &clientcmdapi.Cluster{
		Server: l.server,
		// Self-signed: the file holds the certificate and the one that signed it.
		CertificateAuthorityData: try(os.ReadFile(filepath.Join(l.data, "certificates", "apiserver.crt"))),
	}
	config.AuthInfos["admin"] = &clientcmdapi.AuthInfo{Token: token}
	config.Contexts["kubelab"] = &clientcmdapi.Context{Cluster: "kubelab", AuthInfo: "admin"}
	config.CurrentContext = "kubelab"
	must(clientcmd.WriteToFile(*config, l.kubeconfig))
}

func (l *lab) awaitAPIServer(ctx context.Context) kubernetes.Interface {
	client := kubernetes.NewForConfigOrDie(try(clientcmd.BuildConfigFromFlags("", l.kubeconfig)))
	for client.CoreV1().RESTClient().Get().AbsPath("/readyz").Do(ctx).Error() != nil {
		time.Sleep(50 * time.Millisecond)
	}
	return client
}

func (l *lab) startControllerManager(ctx context.Context) {
	l.execute(ctx, "kube-controller-manager", controllermanager.NewControllerManagerCommand(),
		"--kubeconfig="+l.kubeconfig,
		"--leader-elect=false",
		"--secure-port=0",
		"--kube-api-qps=500",
		"--kube-api-burst=1000",
		"--namespace-sync-period=30s",
		"--concurrent-namespace-syncs=20",
	)
}

// The scheduler's own command would install the process's signal handler a second time, which panics.
func (l *lab) startScheduler(ctx context.Context) {
	options := scheduleroptions.NewOptions()
	parse(*options.Flags, "--kubeconfig="+l.kubeconfig, "--leader-elect=false", "--secure-port=0",
		"--kube-api-qps=500", "--kube-api-burst=1000")
	config, made, err := scheduler.Setup(ctx, options)
	must(err)
	go func() { l.fail("kube-scheduler", scheduler.Run(ctx, config, made)) }()
}

func (l *lab) startKwok(ctx context.Context) {
	// Kwok's command takes up the process's flags, which clash with its own.
	pflag.CommandLine = pflag.NewFlagSet("kwok", pflag.ContinueOnError)
	os.Args = []string{"kwok", "--config=" + l.write("stages.yaml", stages)}
	ctx = try(kwokconfig.InitFlags(ctx, pflag.NewFlagSet("config", pflag.ContinueOnError)))
	l.execute(ctx, "kwok", kwok.NewCommand(ctx), "--kubeconfig="+l.kubeconfig, "--manage-all-nodes",
		"--node-lease-duration-seconds=40")
}

// Ready means that a pod made now would run: the node is up and namespaces get their service account.
func (l *lab) awaitNode(ctx context.Context, client kubernetes.Interface) {
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: nodeName, Labels: map[string]string{
		"kubernetes.io/hostname": nodeName, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64",
	}}}
	try(client.CoreV1().Nodes().Create(ctx, node, metav1.CreateOptions{}))
	for ; ; time.Sleep(50 * time.Millisecond) {
		found, err := client.CoreV1().Nodes().Get(ctx, nodeName, metav1.GetOptions{})
		_, missing := client.CoreV1().ServiceAccounts("default").Get(ctx, "default", metav1.GetOptions{})
		if err == nil && missing == nil && len(found.Spec.Taints) == 0 && found.Status.Phase == corev1.NodeRunning {
			return
		}
	}
}

func (l *lab) execute(ctx context.Context, part string, command *cobra.Command, args ...string) {
	command.SetArgs(args)
	go func() { l.fail(part, command.ExecuteContext(ctx)) }()
}

func (l *lab) write(name string, content []byte) string {
	path := filepath.Join(l.data, name)
	must(os.WriteFile(path, content, 0o600))
	return path
}

func parse(sets cliflag.NamedFlagSets, args ...string) {
	all := pflag.NewFlagSet("", pflag.ContinueOnError)
	for _, set := range sets.FlagSets {
		all.AddFlagSet(set)
	}
	must(all.Parse(args))
}

func ecKey() []byte {
	der := try(x509.MarshalECPrivateKey(try(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))))
	return pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der})
}

func try[T any](value T, err error) T {
	must(err)
	return value
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
